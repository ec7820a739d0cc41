//! What an agent might send that is no statement of the planner's.

/// Statements that try to access more than the threads; `DIR` is replaced by the folder of the
/// files.
pub(crate) const EVIL: &[&str] = &[
    "ATTACH 'DIR/victim.db' AS victim",
    "ATTACH 'DIR/made.db' AS made",
    "ATTACH ':memory:' AS memory",
    "DETACH main",
    "VACUUM",
    "VACUUM INTO 'DIR/made.db'",
    "PRAGMA query_only = 0",
    "PRAGMA writable_schema = 1",
    "PRAGMA journal_mode = delete",
    "PRAGMA journal_mode",
    "PRAGMA database_list",
    "SELECT * FROM pragma_database_list",
    "SELECT file FROM pragma_database_list()",
    "BEGIN",
    "BEGIN IMMEDIATE",
    "COMMIT",
    "END",
    "ROLLBACK",
    "SAVEPOINT mine",
    "SAVEPOINT batch",
    "RELEASE batch",
    "ROLLBACK TO batch",
    "CREATE TABLE mine (a)",
    "CREATE TABLE lg_mine (a)",
    "CREATE TABLE IF NOT EXISTS lg_others (a)",
    "CREATE TEMP TABLE mine (a)",
    "CREATE TABLE lg_copy AS SELECT * FROM others",
    "CREATE VIRTUAL TABLE mine USING fts5(a)",
    "CREATE VIEW lg_mine AS SELECT secret FROM others",
    "CREATE TEMP VIEW lg_threads AS SELECT secret FROM others",
    "CREATE INDEX mine ON lg_records (envelope)",
    "CREATE TRIGGER mine AFTER INSERT ON lg_threads BEGIN DELETE FROM others; END",
    "CREATE TEMP TRIGGER mine AFTER INSERT ON lg_threads BEGIN DELETE FROM lg_chunks; END",
    "ALTER TABLE lg_threads RENAME TO others_threads",
    "ALTER TABLE lg_threads ADD COLUMN mine",
    "DROP TABLE lg_records",
    "DROP TABLE others",
    "DROP VIEW lg_history",
    "REINDEX",
    "ANALYZE",
    "SELECT secret FROM others",
    "SELECT * FROM peek",
    "SELECT thread_id FROM lg_threads UNION ALL SELECT secret FROM others",
    "SELECT (SELECT secret FROM others) FROM lg_threads",
    "WITH lg_mine AS (SELECT secret FROM others) SELECT * FROM lg_mine",
    "INSERT INTO others VALUES ('mine')",
    "INSERT INTO lg_deleted SELECT length(secret) FROM others",
    "UPDATE others SET secret = 'mine'",
    "UPDATE lg_threads SET thread_id = (SELECT secret FROM others)",
    "DELETE FROM others",
    "SELECT sql FROM sqlite_master",
    "SELECT * FROM sqlite_master",
    "UPDATE sqlite_master SET sql = ''",
    "INSERT INTO sqlite_master (type, name) VALUES ('table', 'lg_mine')",
    "DELETE FROM sqlite_master",
    "SELECT * FROM sqlite_temp_master",
    "SELECT * FROM sqlite_dbpage",
    "SELECT * FROM dbstat",
    "SELECT load_extension('DIR/made.so')",
    "SELECT readfile('DIR/victim.db')",
    "SELECT writefile('DIR/made.db', 'x')",
    "SELECT sqlite_version()",
    "SELECT hex(randomblob(16))",
    "SELECT zeroblob(1000000000)",
    "SELECT printf('%1000000000d', 1)",
    "SELECT thread_id FROM lg_threads WHERE thread_id LIKE '%'",
    "SELECT fts5(1)",
    "SELECT sqlite_compileoption_get(1)",
    "EXPLAIN PRAGMA journal_mode",
];

/// Statements that would practically never end, each in another way.
pub(crate) fn endless() -> Vec<String> {
    let count = "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n)";
    let text = "WITH RECURSIVE t (t) AS (SELECT 'aaaaaaaaaaaaaaaa' \
                UNION ALL SELECT t || t FROM t WHERE length(t) < 8000000)";
    let nested: Vec<_> = (1..40)
        .map(|n| format!("c{n} AS (SELECT a.a FROM c{} a, c{} b WHERE b.a)", n - 1, n - 1))
        .collect();
    vec![
        format!("{count} SELECT max(n) FROM n"),
        format!("{count} SELECT n FROM n WHERE n < 0"),
        format!(
            "{count}, m AS (SELECT n FROM n LIMIT 100000) \
             SELECT max(a.n + b.n + c.n) FROM m a, m b, m c"
        ),
        // In SQLite's own functions, each of these is one instruction.
        format!("{text} SELECT instr(max(t), substr(max(t), 1, 4000000) || 'b') FROM t"),
        format!(
            "{text} SELECT length(replace(max(t), substr(max(t), 1, 4000000) || 'b', 'c')) FROM t"
        ),
        format!("{text} SELECT length(replace(max(t), 'a', max(t))) FROM t"),
        // This one takes its time while it is prepared.
        format!("WITH c0 AS (SELECT 1 AS a), {} SELECT a FROM c39", nested.join(", ")),
    ]
}
