// The same as `core-of-sql.ts`, with the bytes beside it, for programs that are bundled.

export { CORE } from "../../generated/planner.inline.cjs";
