// What a saver on Cloudflare is made with. Its databases are tested in workerd, by the matrix.

import { D1Saver } from "../../../src/entries/d1.js";
import { DurableObjectSaver } from "../../../src/entries/durable-object.js";

const refused = expect.objectContaining({ code: "invalid-database" });

test.each([undefined, null, {}, "x", { prepare() {} }])("d1_refuses_%s", (db) => {
  expect(() => new D1Saver(db as never)).toThrow(refused);
});

test.each([undefined, null, {}, "x", { storage: {} }, { transactionSync() {} }])(
  "a_durable_object_refuses_%s",
  (storage) => {
    expect(() => new DurableObjectSaver(storage as never)).toThrow(refused);
  },
);
