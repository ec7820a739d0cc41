// The same as `core-of-kusto.ts`, with the bytes beside it, for programs that are bundled.

export { CORE } from "../../generated/planner-kusto.inline.cjs";
