// The login of the tests on a cluster.

import { execFileSync } from "node:child_process";

import type { TokenRequest } from "../../../../src/entries/kusto.js";

type Credential = (request: TokenRequest) => Promise<string>;

/** The credential that the environment names, if any. */
export function credential(): Credential | undefined {
  const { KUSTO_ACCESS_TOKEN, AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, KUSTO_AUTH } =
    process.env;
  if (KUSTO_ACCESS_TOKEN !== undefined) return async () => KUSTO_ACCESS_TOKEN;
  if (AZURE_TENANT_ID && AZURE_CLIENT_ID && AZURE_CLIENT_SECRET) {
    return ({ scope }) => login(AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, scope);
  }
  return KUSTO_AUTH === "az-cli" ? fromCli : undefined;
}

async function login(tenant: string, id: string, secret: string, scope: string): Promise<string> {
  const form = { grant_type: "client_credentials", client_id: id, client_secret: secret, scope };
  const response = await fetch(`https://login.microsoftonline.com/${tenant}/oauth2/v2.0/token`, {
    method: "POST",
    body: new URLSearchParams(form),
  });
  const { access_token } = (await response.json()) as { access_token?: string };
  if (access_token === undefined) throw new Error(`login: status ${response.status}`);
  return access_token;
}

async function fromCli(): Promise<string> {
  const args = ["account", "get-access-token", "--resource", "https://api.kusto.windows.net"];
  const options = ["--query", "accessToken", "--output", "tsv"];
  return execFileSync("az", [...args, ...options], { encoding: "utf8" }).trim();
}
