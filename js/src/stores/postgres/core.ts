import { compiledOnce } from "../../planner/core-modules.js";
import { CORE } from "../../planner/core-of-postgres.js";

/** The core module with PostgreSQL's statements, compiled at the first call. */
export const ownCore = compiledOnce(CORE);
