// The real file passes; each broken variant of it fails with its own line, and no other.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import yaml from "js-yaml";

import { check, unset } from "./rules.mjs";
import * as toolkit from "./toolkit.mjs";

const COMMAND = fileURLToPath(new URL("check.mjs", import.meta.url));
const REAL = readFileSync(new URL("../../serverless.yml", import.meta.url), "utf8");

const VARIABLES = "inputs.environment.variables";
const variables = (file) => file.inputs.environment.variables;
const http = (file) => file.inputs.events[0].http.parameters;
const sweep = (file) => file.inputs.events[1].timer.parameters;
const reconcile = (file) => file.inputs.events[2].timer.parameters;
const cron = (expression) => (file) => void (sweep(file).cronExpression = expression);
const CRON = "inputs.events[1].timer.parameters.cronExpression";

// What is broken, how, and the one line that tells of it.
const BROKEN = [
  [
    "another component",
    (file) => void (file.component = "website"),
    'component: found "website"; expected "scf"',
  ],
  [
    "no inputs",
    (file) => delete file.inputs,
    "inputs: found nothing; expected a mapping",
  ],
  [
    "a name with a dot",
    (file) => void (file.inputs.name = "ci.callback"),
    'inputs.name: found "ci.callback"; expected a name of 2 to 60 letters, digits, - and _, ' +
      "beginning with a letter",
  ],
  [
    "no region",
    (file) => delete file.inputs.region,
    "inputs.region: found nothing; expected the ledger bucket's region",
  ],
  [
    "a misspelt type, which the toolkit takes for Event",
    (file) => void (file.inputs.type = "evnt"),
    'inputs.type: found "evnt"; expected "event"',
  ],
  [
    "another runtime than the bundle is built for",
    (file) => void (file.inputs.runtime = "Python3.9"),
    'inputs.runtime: found "Python3.9"; expected "Python3.10"',
  ],
  [
    "another handler",
    (file) => void (file.inputs.handler = "handler.app.main_handler"),
    'inputs.handler: found "handler.app.main_handler"; expected "index.main_handler"',
  ],
  [
    "the working folder as the source",
    (file) => void (file.inputs.src.src = "./"),
    'inputs.src.src: found "./"; expected "./dist/function"',
  ],
  [
    "no excludes",
    (file) => delete file.inputs.src.exclude,
    "inputs.src.exclude: found nothing; expected a list of globs",
  ],
  [
    "excludes that let a .env through",
    (file) => void (file.inputs.src.exclude = [".git/**"]),
    'inputs.src.exclude: found [".git/**"]; expected globs that keep .env out',
  ],
  [
    "excludes that let the files of a dot folder through",
    (file) => void (file.inputs.src.exclude = ["**/.*", ".git/**"]),
    'inputs.src.exclude: found ["**/.*",".git/**"]; expected globs that keep ' +
      "handler/.cache/token out",
  ],
  [
    "excludes that take the compiled files away",
    (file) => void file.inputs.src.exclude.push("**/__pycache__/**"),
    'inputs.src.exclude: found ["**/.*","**/.*/**","**/__pycache__/**"]; expected globs that ' +
      "let handler/__pycache__/app.cpython-310.pyc through",
  ],
  [
    "dependencies installed by the platform",
    (file) => void (file.inputs.installDependency = true),
    "inputs.installDependency: found true; expected false: the platform installs for Node.js alone",
  ],
  [
    "no role",
    (file) => delete file.inputs.role,
    "inputs.role: found nothing; expected an execution role: without one there are no credentials",
  ],
  [
    "a memory size between two sizes",
    (file) => void (file.inputs.memorySize = 200),
    "inputs.memorySize: found 200; expected 64, or a multiple of 128 up to 3072",
  ],
  [
    "a time-out as long as the sweep's interval",
    (file) => void (file.inputs.timeout = 60),
    "inputs.timeout: found 60; expected whole seconds from 1, less than the sweep's interval " +
      "of 60 (the platform's limit is 900)",
  ],
  [
    "a time-out over the platform's limit",
    (file) => void (file.inputs.timeout = 901),
    "inputs.timeout: found 901; expected whole seconds from 1, less than the sweep's interval " +
      "of 60 (the platform's limit is 900)",
  ],
  [
    "no time-out, for which the toolkit puts 3 s",
    (file) => delete file.inputs.timeout,
    "inputs.timeout: found nothing; expected whole seconds from 1, less than the sweep's " +
      "interval of 60 (the platform's limit is 900)",
  ],
  [
    "too short a time for the first load",
    (file) => void (file.inputs.initTimeout = 1),
    "inputs.initTimeout: found 1; expected whole seconds from 3 to 300",
  ],
  [
    "no way out of the platform",
    (file) => void (file.inputs.publicAccess = false),
    "inputs.publicAccess: found false; expected true: COS, CI and the alert channels have " +
      "public addresses",
  ],

  [
    "no variables, which unsets them all",
    (file) => delete file.inputs.environment,
    `${VARIABLES}: found nothing; expected a mapping of names and values`,
  ],
  [
    "no ledger",
    (file) => delete variables(file).LEDGER_URL,
    `${VARIABLES}.LEDGER_URL: found nothing; expected a value: the function needs it`,
  ],
  [
    "no tokens",
    (file) => delete variables(file).CALLBACK_TOKENS,
    `${VARIABLES}.CALLBACK_TOKENS: found nothing; expected a value: the function needs it`,
  ],
  ...["TENCENTCLOUD_", "SCF_", "QCLOUD_"].map((prefix) => [
    `a variable of the platform's own: ${prefix}`,
    (file) => void (variables(file)[`${prefix}X`] = "1"),
    `${VARIABLES}.${prefix}X: found "${prefix}X"; expected another name: ${prefix} is the ` +
      "platform's own",
  ]),
  [
    "a variable with a dash",
    (file) => void (variables(file)["LEASE-S"] = 120),
    `${VARIABLES}.LEASE-S: found "LEASE-S"; expected a name of letters, digits and _, ` +
      "beginning with a letter",
  ],
  [
    "a variable without a value, which the toolkit sends as the text null",
    (file) => void (variables(file).ALERT_LANG = null),
    `${VARIABLES}.ALERT_LANG: found null; expected a text, a number, true or false`,
  ],
  ...["CALLBACK_TOKENS", "ALERT_URLS", "RETRY_CALLBACK_URL"].map((name) => [
    `a secret written out: ${name}`,
    (file) => void (variables(file)[name] = "https://example.com/?token=s3cret"),
    `${VARIABLES}.${name}: found a secret written out; expected \${env:${name}}`,
  ]),
  [
    "a secret of which a part is written out",
    (file) => void (variables(file).CALLBACK_TOKENS = "s3cret,${env:CALLBACK_TOKENS}"),
    `${VARIABLES}.CALLBACK_TOKENS: found a secret written out; expected \${env:CALLBACK_TOKENS}`,
  ],
  [
    "more variables than the platform takes",
    (file) => void (variables(file).ALLOWED_BUCKETS = "b".repeat(4096)),
    `${VARIABLES}: found 4213 bytes; expected at most 4096`,
  ],
  [
    "a lease that ends before the function does",
    (file) => void (variables(file).LEASE_S = 55),
    `${VARIABLES}.LEASE_S: found 55; expected seconds, more than inputs.timeout, which is 55`,
  ],
  [
    "a lease that can't be compared",
    (file) => void (variables(file).LEASE_S = "2 min"),
    `${VARIABLES}.LEASE_S: found "2 min"; expected seconds, more than inputs.timeout, which is 55`,
  ],
  [
    "a variable inside a longer text",
    (file) => void (variables(file).LEDGER_URL = "cos://${env:BUCKET}/ci"),
    `${VARIABLES}.LEDGER_URL: found "cos://\${env:BUCKET}/ci"; expected \${env:NAME} alone: ` +
      'unset, it reads "undefined" in a text',
  ],
  [
    "a variable that the deploying CLI does not know",
    (file) => void (file.inputs.role = "${self:custom.role}"),
    'inputs.role: found "${self:custom.role}"; expected ${env:NAME}: the CLI knows no other',
  ],

  [
    "no http trigger",
    (file) => void file.inputs.events.shift(),
    "inputs.events: found 0 http triggers; expected exactly one",
  ],
  [
    "two http triggers",
    (file) => void file.inputs.events.push(structuredClone(file.inputs.events[0])),
    "inputs.events: found 2 http triggers; expected exactly one",
  ],
  [
    "the platform's own signature asked of CI",
    (file) => void (http(file).authType = "CAM"),
    'inputs.events[0].http.parameters.authType: found "CAM"; expected NONE: CI can\'t sign for ' +
      "the platform",
  ],
  [
    "an address that nobody outside reaches",
    (file) => delete http(file).netConfig,
    "inputs.events[0].http.parameters.netConfig.enableExtranet: found nothing; expected true: " +
      "CI calls from outside",
  ],
  [
    "an address opened by a text",
    (file) => void (http(file).netConfig.enableExtranet = "true"),
    'inputs.events[0].http.parameters.netConfig.enableExtranet: found "true"; expected true: ' +
      "CI calls from outside",
  ],
  [
    "no qualifier on the http trigger",
    (file) => delete http(file).qualifier,
    "inputs.events[0].http.parameters.qualifier: found nothing; expected a version or an " +
      "alias, as $DEFAULT: an update finds the trigger by it",
  ],
  [
    "a closed http trigger",
    (file) => void (http(file).enable = false),
    "inputs.events[0].http.parameters.enable: found false; expected true, or nothing",
  ],
  [
    "a kind of trigger that is not there",
    (file) => void file.inputs.events.push({ tmier: {} }),
    'inputs.events[4]: found {"tmier":{}}; expected one of http,timer, with its parameters',
  ],
  [
    "two kinds in one event",
    (file) => void file.inputs.events.push({ timer: {}, http: {} }),
    'inputs.events[4]: found {"timer":{},"http":{}}; expected one of http,timer, with its ' +
      "parameters",
  ],
  [
    "a trigger without anything",
    (file) => void file.inputs.events.push({ timer: null }),
    'inputs.events[4]: found {"timer":null}; expected one of http,timer, with its parameters',
  ],

  [
    "a cron of one word",
    cron("bogus"),
    `${CRON}: found "bogus"; expected a text of 7 cron fields (second minute hour day month ` +
      "weekday year)",
  ],
  [
    "a cron of five fields, as elsewhere",
    cron("* * * * *"),
    `${CRON}: found "* * * * *"; expected a text of 7 cron fields (second minute hour day ` +
      "month weekday year)",
  ],
  ...[
    ["61 * * * * * *", '0 to 59 as the second, in place of "61"'],
    ["0 */0 * * * * *", '0 to 59 as the minute, in place of "*/0"'],
    ["0 0 9-24 * * * *", '0 to 23 as the hour, in place of "9-24"'],
    ["0 0 0 0 * * *", '1 to 31 as the day, in place of "0"'],
    ["0 0 0 * JANUARY * *", '1 to 12 as the month, in place of "JANUARY"'],
    ["0 0 0 * * 5-1 *", '0 to 6 as the weekday, in place of "5-1"'],
    ["0 0 0 * * * 26", '1970 to 2099 as the year, in place of "26"'],
    ["0 1,,2 * * * * *", '0 to 59 as the minute, in place of "1,,2"'],
    ["0 1-2-3 * * * * *", '0 to 59 as the minute, in place of "1-2-3"'],
    ["0 */5/5 * * * * *", '0 to 59 as the minute, in place of "*/5/5"'],
  ].map(([expression, expected]) => [
    `a cron field out of its range: ${expression}`,
    cron(expression),
    `${CRON}: found "${expression}"; expected ${expected}`,
  ]),
  [
    "a timer that is not said to run",
    (file) => delete sweep(file).enable,
    "inputs.events[1].timer.parameters.enable: found nothing; expected true: the toolkit closes " +
      "a timer without it, and opens one with any text",
  ],
  [
    "a timer switched off by a text, which the toolkit takes for on",
    (file) => void (sweep(file).enable = "false"),
    'inputs.events[1].timer.parameters.enable: found "false"; expected true: the toolkit closes ' +
      "a timer without it, and opens one with any text",
  ],
  [
    "no qualifier on a timer",
    (file) => delete sweep(file).qualifier,
    "inputs.events[1].timer.parameters.qualifier: found nothing; expected a version or an " +
      "alias, as $DEFAULT: an update finds the trigger by it",
  ],
  [
    "a timer without a name",
    (file) => delete sweep(file).name,
    "inputs.events[1].timer.parameters.name: found nothing; expected a name of 1 to 60 " +
      "letters, digits, - and _, beginning with a letter",
  ],
  [
    "two timers of one name",
    (file) => void (reconcile(file).name = "sweep"),
    'inputs.events[2].timer.parameters.name: found "sweep", which is inputs.events[1].timer\'s; ' +
      "expected a name of its own",
  ],
  [
    "a chore without its timer",
    (file) => void file.inputs.events.pop(),
    "inputs.events: found no timer with the argument forward; expected one",
  ],
];

for (const [name, mutate, expected] of BROKEN) {
  test(`refused: ${name}`, () => {
    const file = yaml.safeLoad(REAL);
    mutate(file);
    assert.deepEqual(check(yaml.safeDump(file)).problems, [expected]);
  });
}

test("refused: a chore that the function doesn't have, and the one that now has no timer", () => {
  const file = yaml.safeLoad(REAL);
  sweep(file).argument = "sweeep";
  assert.deepEqual(check(yaml.safeDump(file)).problems, [
    'inputs.events[1].timer.parameters.argument: found "sweeep"; expected a chore: sweep or ' +
      "reconcile or forward",
    "inputs.events: found no timer with the argument sweep; expected one",
  ]);
});

test("refused: no events at all, with a line for each that is missing", () => {
  const file = yaml.safeLoad(REAL);
  delete file.inputs.events;
  assert.deepEqual(check(yaml.safeDump(file)).problems, [
    "inputs.events: found 0 http triggers; expected exactly one",
    "inputs.events: found no timer with the argument sweep; expected one",
    "inputs.events: found no timer with the argument reconcile; expected one",
    "inputs.events: found no timer with the argument forward; expected one",
  ]);
});

test("refused: a file that is no YAML, with the line", () => {
  assert.deepEqual(check("component: scf\ninputs: {\n").problems, [
    "line 3: found unexpected end of the stream within a flow collection; expected one YAML " +
      "document",
  ]);
});

test("refused: a key that is written twice", () => {
  assert.deepEqual(check("component: scf\ncomponent: scf\n").problems, [
    "line 2: found duplicated mapping key; expected one YAML document",
  ]);
});

test("refused: two documents in one file", () => {
  assert.deepEqual(check("a: 1\n---\nb: 2\n").problems, [
    "the whole: found expected a single document in the stream, but found more; expected one " +
      "YAML document",
  ]);
});

test("refused: a key that the toolkit no longer reads", () => {
  const forgetful = {
    ...toolkit,
    triggerRequest: (...read) => ({ ...toolkit.triggerRequest(...read), Enable: "CLOSE" }),
  };
  assert.deepEqual(check(REAL, forgetful).problems, [
    'inputs.events[0].http.parameters.enable: found "CLOSE" in the toolkit\'s request; expected ' +
      '"OPEN"',
    'inputs.events[1].timer.parameters.enable: found "CLOSE" in the toolkit\'s request; expected ' +
      '"OPEN"',
    'inputs.events[2].timer.parameters.enable: found "CLOSE" in the toolkit\'s request; expected ' +
      '"OPEN"',
    'inputs.events[3].timer.parameters.enable: found "CLOSE" in the toolkit\'s request; expected ' +
      '"OPEN"',
  ]);
});

for (const expression of [
  "*/5 * * * * * *",
  "0 15 10 * * MON-FRI *",
  "0 0 10,14,16 * * * *",
  "0 */30 9-17 * * * *",
  "0 0 2 1 JAN,JUL ? 2027-2030",
  "0 0 0 LW * ? *",
  "0 0 0 ? * 5L *",
]) {
  test(`taken: the cron ${expression}`, () => {
    const file = yaml.safeLoad(REAL);
    sweep(file).cronExpression = expression;
    assert.deepEqual(check(yaml.safeDump(file)).problems, []);
  });
}

test("taken: the real file, without a connection, as five requests", (context) => {
  const refuse = () => assert.fail("a connection was opened");
  context.mock.method(net.Socket.prototype, "connect", refuse);
  const { requests, problems } = check(REAL);
  assert.deepEqual(problems, []);
  assert.deepEqual(
    requests.map(({ TriggerName, FunctionName }) => TriggerName ?? FunctionName),
    ["ci-callback", "url-trigger", "sweep", "reconcile", "forward"],
  );
});

const SET = { COS_REGION: "ap-guangzhou", LEDGER_URL: "cos://records-1250000000/ci" };

function run(...args) {
  return runIn({ ...process.env, ...SET }, ...args);
}

function runIn(env, ...args) {
  return spawnSync(process.execPath, [COMMAND, ...args], { encoding: "utf8", env });
}

test("unset: each variable that is needed has its line", () => {
  assert.deepEqual(unset(REAL, SET), []);
  assert.deepEqual(unset(REAL, { ...SET, LEDGER_URL: " " }), [
    `${VARIABLES}.LEDGER_URL: LEDGER_URL is unset; ` +
      "expected a value (--offline checks the file alone)",
  ]);
  assert.equal(unset(REAL, {}).length, 2);
  assert.deepEqual(unset(REAL.replace("${env:COS_REGION}", "ap-beijing"), SET), []);
  assert.deepEqual(unset("- no mapping", {}), []);
});

test("the command fails where a variable is unset, unless it is offline or .env has it", () => {
  const folder = mkdtempSync(join(tmpdir(), "check-deploy-"));
  try {
    const file = join(folder, "serverless.yml");
    writeFileSync(file, REAL);
    const bare = runIn({ PATH: process.env.PATH }, file);
    assert.equal(bare.status, 1);
    assert.match(bare.stderr, /COS_REGION is unset/);
    assert.match(bare.stderr, /2 to mend/);
    assert.equal(runIn({ PATH: process.env.PATH }, "--offline", file).status, 0);
    writeFileSync(join(folder, ".env"), "COS_REGION=ap-guangzhou\nLEDGER_URL='cos://b-1250000000'\n");
    assert.equal(runIn({ PATH: process.env.PATH }, file).status, 0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("the command prints the requests of the real file and exits with 0", () => {
  const { status, stdout, stderr } = run();
  assert.equal(stderr, "");
  assert.equal(status, 0);
  assert.match(stdout, /"CustomArgument": "reconcile"/);
  assert.match(stdout, /"Value": "<CALLBACK_TOKENS>"/);
});

test("the command prints each problem with the file's name, no secret, and exits with 1", () => {
  const folder = mkdtempSync(join(tmpdir(), "check-deploy-"));
  try {
    const broken = join(folder, "broken.yml");
    writeFileSync(broken, REAL.replace("${env:ALERT_URLS}", "s3cret").replace("55", "75"));
    const { status, stdout, stderr } = run(broken);
    assert.equal(status, 1);
    assert.equal(stdout, "");
    assert.doesNotMatch(stderr, /s3cret/);
    assert.deepEqual(
      stderr.split("\n").map((line) => line.split(": ").slice(0, 2).join(": ")),
      [
        `${broken}: inputs.timeout`,
        `${broken}: ${VARIABLES}.ALERT_URLS`,
        `${broken}: 2 to mend before this is deployed`,
        "",
      ],
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("the command says so where there is no such file, and exits with 1", () => {
  const { status, stderr } = run("no-such.yml");
  assert.equal(status, 1);
  assert.equal(stderr, "no-such.yml: can't be read (ENOENT); expected a serverless.yml\n");
});
