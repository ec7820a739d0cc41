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
} from "../errors.js";
export type {
  CacheOptions,
  CallOptions,
  CallReport,
  SaverOptions,
  TtlOptions,
} from "../options.js";
export type {
  Batch,
  RowSet,
  SqlParameter,
  SqlValue,
  Statement,
  StorageAdapter,
  StoredCall,
} from "../planner/adapter.js";
export { SerializationError, type SerializationErrorCode } from "../serde/errors.js";
export { JsonPlusSerde, type JsonPlusSerdeOptions } from "../serde/serializer.js";
export { StorageSaver } from "../stores/storage-saver.js";
