export type {
  Batch,
  RowSet,
  SqlValue,
  Statement,
  StorageAdapter,
  StoredCall,
} from "./adapters/adapter.js";
export {
  AdapterError,
  type AdapterErrorCode,
  CheckpointerError,
  CorruptError,
  DeniedError,
  InvalidInputError,
  ProtocolError,
  StorageError,
  type StorageErrorCode,
  type Stored,
  StoreError,
  UnavailableError,
  UnsupportedFormatError,
} from "./errors.js";
export type { MemoryOptions, SaverOptions } from "./options.js";
export { SerializationError, type SerializationErrorCode } from "./serde/errors.js";
export { JsonPlusSerde, type JsonPlusSerdeOptions } from "./serde/serializer.js";
export { StorageSaver } from "./storage-saver.js";
