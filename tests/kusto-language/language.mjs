// Microsoft's parser and semantic analysis of KQL. The package is .NET code compiled to JavaScript:
// two files that must be loaded in order and that set global names.

import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
require("@kusto/language-service-next/bridge.js");
require("@kusto/language-service-next/Kusto.Language.Bridge.js");
const { Bridge, Kusto } = globalThis;
const { GlobalState, KustoCode, KustoFacts, Symbols } = Kusto.Language;
const { SyntaxKind } = Kusto.Language.Syntax;

// A database that queries are checked against: its tables, functions and views. Each is text as in
// the commands that create them.
export function database({ tables, functions, views }) {
  const members = [
    ...tables.map(({ name, columns }) => new Symbols.TableSymbol.$ctor7(name, columns, null)),
    ...functions.map(
      ({ name, parameters, body }) =>
        new Symbols.FunctionSymbol.$ctor16(name, parameters, body, null),
    ),
    ...views.map(
      ({ name, columns, query }) =>
        new Symbols.MaterializedViewSymbol.$ctor3(name, columns, query, null),
    ),
  ];
  const symbol = new Symbols.DatabaseSymbol.$ctor1("langgraph", members, false);
  const cluster = new Symbols.ClusterSymbol.$ctor1("local", [symbol], false);
  return GlobalState.Default.WithCluster(cluster).WithDatabase(symbol);
}

// The errors of a query or a command, and the columns of its result.
export function analyze(text, known) {
  const code = KustoCode.ParseAndAnalyze(text, known);
  const errors = Bridge.toArray(code.GetDiagnostics())
    .filter((one) => one.Severity === "Error")
    .map((one) => {
      const line = text.slice(0, one.Start).split("\n").length;
      const found = text.substr(one.Start, Math.min(one.Length, 40));
      return `line ${line}, "${found}": ${one.Code} ${one.Message}`;
    });
  const result = code.ResultType;
  const columns = result?.Columns
    ? Bridge.toArray(result.Columns).map((column) => [column.Name, column.Type.Name])
    : [];
  return { errors, columns };
}

// The value that the lexer reads from a text of only string literals; undefined for any other text.
export function decode(text) {
  const [print, ...rest] = Bridge.toArray(KustoCode.Parse(`print ${text}`).GetLexicalTokens());
  const literals = rest.filter((token) => token.Kind !== SyntaxKind.EndOfTextToken);
  const isWhole = (token) =>
    token.Kind === SyntaxKind.StringLiteralToken && Bridge.toArray(token.Diagnostics).length === 0;
  if (print.Text !== "print" || literals.length === 0 || !literals.every(isWhole)) {
    return undefined;
  }
  return literals.map((token) => KustoFacts.GetStringLiteralValue(token.Text)).join("");
}
