// Builds the package for processes that tests start: they run the build, as users do.

import { execFileSync } from "node:child_process";

export default function build(): void {
  execFileSync("npm", ["run", "--silent", "build"], { stdio: "inherit" });
}
