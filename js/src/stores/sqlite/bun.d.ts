// The part of Bun's driver that this package uses. Programs that run in Bun have Bun's own types.

declare module "bun:sqlite" {
  type Value = null | bigint | number | string | Uint8Array;

  export class Statement {
    run(...parameters: Value[]): unknown;
    values(...parameters: Value[]): Value[][] | null;
  }

  export class Database {
    readonly inTransaction: boolean;
    constructor(
      path: string,
      options?: { create?: boolean; readwrite?: boolean; safeIntegers?: boolean },
    );
    prepare(text: string): Statement;
    run(text: string): unknown;
    close(): void;
  }

  export class SQLiteError extends Error {
    readonly errno: number;
  }
}
