-- Two chunks of a list are zeros, one of another thread is gone, and a checkpoint cannot be read.
UPDATE lg_chunks SET data = zeroblob(length(data)) WHERE thread_key = 20 AND hash IN
  (SELECT hash FROM lg_chunks WHERE thread_key = 20 ORDER BY hash LIMIT 2);
DELETE FROM lg_chunks WHERE thread_key = 3 AND hash =
  (SELECT min(hash) FROM lg_chunks WHERE thread_key = 3);
UPDATE lg_records SET envelope = x'00' WHERE thread_key = 9 AND checkpoint_id =
  '1ef4f797-8335-6428-8001-000000000003';
