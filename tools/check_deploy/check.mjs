// Checks serverless.yml before it is deployed: offline, and without keys.
//
//   node tools/check_deploy/check.mjs [serverless.yml]
//
// Prints the requests that the platform would be sent, and exits with 0; or one line for
// each problem, and exits with 1.

import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";

import { check } from "./rules.mjs";

const DEFAULT_FILE = relative(
  process.cwd(),
  fileURLToPath(new URL("../../serverless.yml", import.meta.url)),
);

function read(file) {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    console.error(`${file}: can't be read (${error.code}); expected a serverless.yml`);
    process.exit(1);
  }
}

const [file = DEFAULT_FILE] = process.argv.slice(2);
const { requests, problems } = check(read(file));
if (problems.length > 0) {
  // No requests here: a secret that was written out would be among them.
  for (const problem of problems) console.error(`${file}: ${problem}`);
  console.error(`${file}: ${problems.length} to mend before this is deployed`);
  process.exitCode = 1;
} else {
  for (const request of requests) console.log(JSON.stringify(request, null, 2));
  console.log(`${file}: would be deployed as above (stand-ins in place of \${env:...})`);
}
