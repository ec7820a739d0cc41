export type { Batch, RowSet, SqlValue, Statement, StorageAdapter } from "./adapters/adapter.js";
export {
  CheckpointerError,
  CorruptError,
  InvalidInputError,
  ProtocolError,
  StorageError,
  type StorageErrorCode,
  type Stored,
  UnsupportedFormatError,
} from "./errors.js";
export type { MemoryOptions } from "./options.js";
export { StorageSaver } from "./saver.js";
export { SerializationError, type SerializationErrorCode } from "./serde/errors.js";
export { JsonPlusSerde, type JsonPlusSerdeOptions } from "./serde/serializer.js";
