/// <reference lib="esnext.disposable" preserve="true" />

import type { SerializerProtocol } from "@langchain/langgraph-checkpoint";
import { type SqliteOptions, shared } from "../../options.js";
import { StorageSaver } from "../storage-saver.js";
import { CommitQueue } from "./commit-queue.js";
import type { Connection } from "./connection.js";
import { checkOpen, queueOptions } from "./opening.js";

/** A saver on SQLite, without the driver. */
export abstract class DriverSaver<Database extends { close(): unknown }> extends StorageSaver {
  /** The driver's connection. One that the saver opened has no busy timeout of its own. */
  readonly db: Database;
  readonly #queue: CommitQueue;

  protected constructor(
    db: Database,
    connect: (db: Database) => Connection,
    serde: SerializerProtocol | undefined,
    options: SqliteOptions,
  ) {
    const used = queueOptions(db, serde, options);
    const connection = connect(db);
    checkOpen(connection);
    const queue = new CommitQueue(connection, used);
    super(queue, serde, shared(options));
    this.db = db;
    this.#queue = queue;
  }

  /** Runs the waiting writes, then closes the database. */
  close(): void {
    void this.stopSweeping();
    try {
      this.#queue.flush();
    } finally {
      this.db.close();
    }
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
