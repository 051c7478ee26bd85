// Checks serverless.yml and its environment before it is deployed, without keys.
//
//   node tools/check_deploy/check.mjs [--offline] [serverless.yml]
//
// Prints the requests that the platform would be sent, and exits with 0; or one line for
// each problem, and exits with 1. A variable that is needed and unset is one, unless --offline
// says that the file alone is checked. The environment is that of the process and of the .env
// beside the file.

import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseEnv } from "node:util";

import { check, unset } from "./rules.mjs";

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

function environment(file) {
  try {
    return { ...parseEnv(readFileSync(join(dirname(file), ".env"), "utf8")), ...process.env };
  } catch (error) {
    if (error.code !== "ENOENT") throw error;
    return process.env;
  }
}

const given = process.argv.slice(2);
const isOffline = given.includes("--offline");
const [file = DEFAULT_FILE] = given.filter((word) => word !== "--offline");
const text = read(file);
const { requests, problems } = check(text);
if (!isOffline) problems.push(...unset(text, environment(file)));
if (problems.length > 0) {
  // No requests here: a secret that was written out would be among them.
  for (const problem of problems) console.error(`${file}: ${problem}`);
  console.error(`${file}: ${problems.length} to mend before this is deployed`);
  process.exitCode = 1;
} else {
  for (const request of requests) console.log(JSON.stringify(request, null, 2));
  console.log(`${file}: would be deployed as above (stand-ins in place of \${env:...})`);
}
