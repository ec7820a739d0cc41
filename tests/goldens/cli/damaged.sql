-- Two chunks of a list are zeros, one of another thread is gone, and a checkpoint cannot be read.
UPDATE lg_chunks SET data = zeroblob(length(data)) WHERE (thread_key, hash) IN
  (SELECT thread_key, hash FROM lg_chunks JOIN lg_threads USING (thread_key)
   WHERE thread_id = 'a long list' ORDER BY hash LIMIT 2);
DELETE FROM lg_chunks WHERE (thread_key, hash) =
  (SELECT thread_key, min(hash) FROM lg_chunks JOIN lg_threads USING (thread_key)
   WHERE thread_id = 'delete_thread: "a"');
UPDATE lg_records SET envelope = x'00' WHERE
  thread_key = (SELECT thread_key FROM lg_threads WHERE thread_id = 'list: "a"')
  AND checkpoint_id = '1ef4f797-8335-6428-8001-000000000003';
