-- What the target has of one checkpoint in another way, and of another checkpoint one write.
UPDATE checkpoints SET metadata = CAST(replace(CAST(metadata AS TEXT), '"loop"', '"fork"') AS BLOB)
  WHERE thread_id = 'done' AND checkpoint_id =
  (SELECT min(checkpoint_id) FROM checkpoints WHERE thread_id = 'done' AND parent_checkpoint_id IS NOT NULL);
UPDATE writes SET value = '"another"' WHERE rowid =
  (SELECT min(rowid) FROM writes WHERE thread_id = 'failed');
