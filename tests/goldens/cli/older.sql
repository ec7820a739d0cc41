-- The thread before its last superstep.
DELETE FROM checkpoints WHERE thread_id = 'done' AND checkpoint_id =
  (SELECT max(checkpoint_id) FROM checkpoints WHERE thread_id = 'done');
