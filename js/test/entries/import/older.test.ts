// Files that older versions of LangGraph's SqliteSaver have made: tests/fixtures/stock.

import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  Annotation,
  Command,
  END,
  type GraphNode,
  interrupt,
  START,
  StateGraph,
} from "@langchain/langgraph";

import { SqliteSaver } from "../../../src/entries/sqlite.js";
import { temporaryFolder } from "../../support/temporary.js";
import { imported } from "./program.js";
import { ownTuples, stockTuples } from "./stock.js";

const FIXTURES = fileURLToPath(new URL("../../../../tests/fixtures/stock/", import.meta.url));

const State = Annotation.Root({
  notes: Annotation<unknown[]>({ reducer: (left, right) => left.concat(right), default: () => [] }),
  last: Annotation<unknown>(),
});

/** The graph of the fixtures. */
function graphOn(checkpointer: SqliteSaver) {
  const work: GraphNode<typeof State> = ({ notes }) => ({ notes: [`worked on ${notes}`] });
  return new StateGraph(State)
    .addNode("plan", work)
    .addNode("work", work)
    .addNode("ask", () => ({ notes: [interrupt({ question: "which?" })] }))
    .addNode("fail", () => ({ notes: ["failed once"] }))
    .addEdge(START, "plan")
    .addConditionalEdges("plan", () => [])
    .addEdge("work", "ask")
    .addEdge("ask", "fail")
    .addEdge("fail", END)
    .compile({ checkpointer });
}

describe.each(["javascript-0.1.5", "javascript-1.0.1"])("%s", (name) => {
  let stock: string;
  let target: string;

  beforeEach(() => {
    const folder = temporaryFolder();
    [stock, target] = [join(folder, "stock.db"), join(folder, "checkpoints.db")];
    copyFileSync(join(FIXTURES, `${name}.sqlite`), stock);
  });

  test("every_tuple_is_what_the_stock_saver_reads", async () => {
    const { notes } = imported(stock, target, ["--verify"]);
    expect(notes).toMatchObject([{ code: "positional-special-writes" }]);
    const tuples = await stockTuples(stock);
    expect(tuples.length).toBe(15);
    expect(await ownTuples(target)).toStrictEqual(tuples);
  });

  test("a_thread_that_waits_and_one_that_failed_go_on", async () => {
    imported(stock, target);
    const saver = SqliteSaver.fromConnString(target);
    onTestFinished(() => saver.close());
    const app = graphOn(saver);
    const notes = ["begun", "planned", "worked on one", "worked on two", "this", "failed once"];
    const waiting = { configurable: { thread_id: "waiting" } };
    expect((await app.invoke(new Command({ resume: "this" }), waiting)).notes).toEqual(notes);
    const failed = { configurable: { thread_id: "failed" } };
    expect((await app.invoke(null, failed)).notes).toEqual(notes);
    const { values } = await app.getState({ configurable: { thread_id: "done" } });
    expect(values.notes).toEqual(notes);
  });
});
