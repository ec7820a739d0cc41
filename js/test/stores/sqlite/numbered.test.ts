// Parameters are bound by their numbers, in whatever order the text has them.

import Database from "better-sqlite3";

import { BetterSqlite3Connection } from "../../../src/stores/sqlite/better-sqlite3.js";

function open(): BetterSqlite3Connection {
  const db = new Database(":memory:");
  onTestFinished(() => {
    db.close();
  });
  return new BetterSqlite3Connection(db);
}

const LETTERS = [..."abcdefghijkl"];

test.each([
  ["in_order", "SELECT ?1, ?2, ?3", "abc"],
  ["in_another_order", "SELECT ?3, ?1, ?2", "cab"],
  ["used_twice", "SELECT ?2, ?1, ?2", "bab"],
  ["of_two_digits", "SELECT ?12, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11", "labcdefghijk"],
])("parameters_%s_are_bound_to_their_numbers", (_, text, found) => {
  const parameters = LETTERS.slice(0, new Set(found).size);
  expect(open().query(text, parameters)).toEqual([[...found]]);
});

test.each([
  ["in_order", "SELECT ?1, ?2"],
  ["in_another_order", "SELECT ?2, ?1"],
])("a_missing_parameter_%s_is_refused", (_, text) => {
  expect(() => open().query(text, ["a"])).toThrow("Too few parameter values");
});
