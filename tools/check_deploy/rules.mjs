// What must hold of serverless.yml, as tables: one row a value of the file.
//
// The toolkit formats whatever it is given: a cron of one word, a timer that is closed, an
// address that no network reaches. So each row says what the file must hold, and where the
// toolkit's request must hold the same; the second half is what notices a key that the
// toolkit does not know.

import { isDeepStrictEqual } from "node:util";

import yaml from "js-yaml"; // 3.x: the deploying CLI reads with it (@serverless/components 3.18)
import picomatch from "picomatch"; // 2.x: the uploader's globs go through it (fast-glob 3)

import { cronFault } from "./cron.mjs";
import * as toolkit from "./toolkit.mjs";

// What the function does when a timer's argument names it (handler/triggers/timer.py hands it
// on unread). Kept here by hand: a new chore needs its timer and its place in this list.
const CHORES = ["sweep", "reconcile", "forward"];

// Seconds between two sweeps. The lease of one, LEASE_S, is twice that unless it is set.
const SWEEP_INTERVAL_S = 60;
// The platform's own limits: cloud.tencent.com/document/product/583/11637.
const MAX_TIMEOUT_S = 900;
const MAX_MEMORY_MB = 3072;
const MAX_ENVIRONMENT_BYTES = 4096;
const RESERVED_PREFIXES = ["TENCENTCLOUD_", "SCF_", "QCLOUD_"];

// Without these the function answers every callback with 503 (handler/settings.py).
const REQUIRED_VARIABLES = ["LEDGER_URL", "CALLBACK_TOKENS"];
// RETRY_CALLBACK_URL carries a token in its query.
const SECRET_VARIABLES = ["CALLBACK_TOKENS", "ALERT_URLS", "RETRY_CALLBACK_URL"];

// A few paths of the bundle, and a few that could end up beside it.
const UPLOADED = [
  "index.py",
  "handler/app.py",
  "ci_callback/job-record-1.schema.json",
  "handler/__pycache__/app.cpython-310.pyc",
  "qcloud_cos/__pycache__/cos_client.cpython-310.pyc",
  "certifi/cacert.pem",
];
const LEFT_OUT = [".env", ".git/config", "handler/.env", "handler/.cache/token"];

const ENV = /\$\{env:([\w.-]+)\}/g;
const ENV_ALONE = /^\$\{env:[\w.-]+\}$/;
// Serverless Framework 1's: the deploying CLI throws on them.
const FOREIGN_VARIABLE = /\$\{(self|opt|file|ssm|cf|s3|sls)[:(][^}]*\}/;

// A row: where the value stands, what is expected of it (for a reader), whether it holds,
// where the request must have it (`asked`), and as what (`becomes`: unchanged unless said).
const TOP = [{ at: "component", ...exactly("scf") }];

const FUNCTION = [
  {
    at: "inputs.name",
    expected: "a name of 2 to 60 letters, digits, - and _, beginning with a letter",
    holds: matches(/^[A-Za-z][\w-]{0,58}[A-Za-z0-9]$/),
    asked: (request) => request.FunctionName,
  },
  { at: "inputs.region", expected: "the ledger bucket's region", holds: isText },
  // The toolkit takes all but "web" for Event, a misspelt word too.
  {
    at: "inputs.type",
    ...exactly("event"),
    asked: (request) => request.Type,
    becomes: () => "Event",
  },
  { at: "inputs.runtime", ...exactly("Python3.10"), asked: (request) => request.Runtime },
  { at: "inputs.handler", ...exactly("index.main_handler"), asked: (request) => request.Handler },
  { at: "inputs.src.src", ...exactly("./dist/function") },
  { at: "inputs.src.exclude", expected: excludeFault, holds: (globs) => !excludeFault(globs) },
  {
    at: "inputs.installDependency",
    ...exactly(false, "the platform installs for Node.js alone"),
    asked: (request) => request.InstallDependency,
    becomes: () => "FALSE",
  },
  {
    at: "inputs.role",
    expected: "an execution role: without one there are no credentials",
    holds: isText,
    asked: (request) => request.Role,
  },
  {
    at: "inputs.memorySize",
    expected: `64, or a multiple of 128 up to ${MAX_MEMORY_MB}`,
    holds: (size) => size === 64 || (wholeWithin(128, MAX_MEMORY_MB)(size) && size % 128 === 0),
    asked: (request) => request.MemorySize,
  },
  {
    at: "inputs.timeout",
    expected:
      `whole seconds from 1, less than the sweep's interval of ${SWEEP_INTERVAL_S} ` +
      `(the platform's limit is ${MAX_TIMEOUT_S})`,
    holds: wholeWithin(1, Math.min(SWEEP_INTERVAL_S - 1, MAX_TIMEOUT_S)),
    asked: (request) => request.Timeout,
  },
  {
    at: "inputs.initTimeout",
    expected: "whole seconds from 3 to 300",
    holds: wholeWithin(3, 300),
    asked: (request) => request.InitTimeout,
  },
  {
    at: "inputs.publicAccess",
    ...exactly(true, "COS, CI and the alert channels have public addresses"),
    asked: (request) => request.PublicNetConfig.PublicNetStatus,
    becomes: () => "ENABLE",
  },
];

const QUALIFIER = {
  at: "parameters.qualifier",
  expected: "a version or an alias, as $DEFAULT: an update finds the trigger by it",
  holds: isText,
  asked: (request) => request.Qualifier,
};

const TRIGGERS = {
  http: [
    QUALIFIER,
    {
      at: "parameters.authType",
      ...exactly("NONE", "CI can't sign for the platform"),
      asked: (request) => request.TriggerDesc.AuthType,
    },
    {
      at: "parameters.netConfig.enableExtranet",
      ...exactly(true, "CI calls from outside"),
      asked: (request) => request.TriggerDesc.NetConfig.EnableExtranet,
    },
    {
      at: "parameters.enable",
      expected: "true, or nothing",
      holds: (enable) => enable === undefined || enable === true,
      asked: (request) => request.Enable,
      becomes: () => "OPEN",
    },
  ],
  timer: [
    {
      at: "parameters.name",
      expected: "a name of 1 to 60 letters, digits, - and _, beginning with a letter",
      holds: matches(/^[A-Za-z][\w-]{0,59}$/),
      asked: (request) => request.TriggerName,
    },
    QUALIFIER,
    {
      at: "parameters.cronExpression",
      expected: cronFault,
      holds: (expression) => cronFault(expression) === null,
      asked: (request) => request.TriggerDesc,
    },
    {
      at: "parameters.enable",
      ...exactly(true, "the toolkit closes a timer without it, and opens one with any text"),
      asked: (request) => request.Enable,
      becomes: () => "OPEN",
    },
    {
      at: "parameters.argument",
      expected: `a chore: ${CHORES.join(" or ")}`,
      holds: (argument) => CHORES.includes(argument),
      asked: (request) => request.CustomArgument,
    },
  ],
};

/**
 * The text of a serverless.yml → the requests that the platform would be sent, and what is
 * wrong with the file, a line each. `format` stands in for the toolkit in tests.
 */
export function check(text, format = toolkit) {
  const { file, fault } = load(text);
  if (fault) return { requests: [], problems: [fault] };
  const { inputs } = file;
  const ofFunction = format.functionRequest(resolved(inputs));
  const events = readEvents(inputs.events, inputs.name, format);
  const problems = [
    ...compare("", file, {}, TOP),
    ...compare("", file, ofFunction, FUNCTION),
    ...variablesProblems(file),
    ...environmentProblems(inputs, ofFunction),
    ...events.flatMap(eventProblems),
    ...setProblems(events),
  ];
  const requests = [ofFunction, ...events.flatMap(({ request }) => request ?? [])];
  return { requests, problems };
}

// What the environment must give: deploy makes a role and a token where there is none.
const NEEDED = ["inputs.region", "inputs.environment.variables.LEDGER_URL"];

/** What is needed and unset in an environment (name → value), a line each. */
export function unset(text, env) {
  const { file } = load(text);
  return NEEDED.flatMap((place) => {
    const value = file && dig(file, place);
    const name = typeof value === "string" && ENV_ALONE.test(value) ? value.slice(6, -1) : null;
    if (name === null || env[name]?.trim()) return [];
    return [`${place}: ${name} is unset; expected a value (--offline checks the file alone)`];
  });
}

function load(text) {
  let file;
  try {
    file = yaml.safeLoad(text);
  } catch (error) {
    if (!(error instanceof yaml.YAMLException)) throw error;
    const place = error.mark ? `line ${error.mark.line + 1}` : "the whole";
    return { fault: `${place}: found ${error.reason}; expected one YAML document` };
  }
  if (!isMapping(file?.inputs)) return { fault: problem("inputs", file?.inputs, "a mapping") };
  return { file };
}

/** Each event with its place in the file and, where its kind is known, its request. */
function readEvents(events, functionName, format) {
  if (!Array.isArray(events)) return [];
  return events.map((event, index) => {
    const [kind, ...others] = isMapping(event) ? Object.keys(event) : [];
    const place = `inputs.events[${index}]`;
    if (others.length > 0 || !Object.hasOwn(TRIGGERS, kind) || !isMapping(event[kind])) {
      return { place, event };
    }
    const request = format.triggerRequest(kind, resolved(event[kind]), functionName);
    return { place: `${place}.${kind}`, event: event[kind], kind, request };
  });
}

function eventProblems({ place, event, kind, request }) {
  if (!kind) return [problem(place, event, `one of ${Object.keys(TRIGGERS)}, with its parameters`)];
  return compare(`${place}.`, event, request, TRIGGERS[kind]);
}

/** What can only be told from all events together. */
function setProblems(events) {
  const timers = events.filter(({ kind }) => kind === "timer");
  const https = events.filter(({ kind }) => kind === "http");
  const problems = [];
  if (https.length !== 1) {
    problems.push(`inputs.events: found ${https.length} http triggers; expected exactly one`);
  }
  for (const chore of CHORES) {
    if (!timers.some(({ request }) => request.CustomArgument === chore)) {
      problems.push(`inputs.events: found no timer with the argument ${chore}; expected one`);
    }
  }
  timers.forEach(({ place, request: { TriggerName: name } }, index) => {
    const first = timers.findIndex(({ request }) => request.TriggerName === name);
    if (first < index) {
      const taken = `${show(name)}, which is ${timers[first].place}'s`;
      problems.push(`${place}.parameters.name: found ${taken}; expected a name of its own`);
    }
  });
  return problems;
}

function environmentProblems(inputs, request) {
  const place = "inputs.environment.variables";
  const variables = inputs.environment?.variables;
  if (!isMapping(variables)) return [problem(place, variables, "a mapping of names and values")];
  const problems = Object.entries(variables).flatMap(([name, value]) =>
    variableProblems(`${place}.${name}`, name, value),
  );
  for (const name of REQUIRED_VARIABLES) {
    if (!Object.hasOwn(variables, name)) {
      problems.push(problem(`${place}.${name}`, undefined, "a value: the function needs it"));
    }
  }
  const bytes = environmentBytes(request);
  if (bytes > MAX_ENVIRONMENT_BYTES) {
    problems.push(`${place}: found ${bytes} bytes; expected at most ${MAX_ENVIRONMENT_BYTES}`);
  }
  if (Object.hasOwn(variables, "LEASE_S") && !(variables.LEASE_S > inputs.timeout)) {
    const expected = `seconds, more than inputs.timeout, which is ${inputs.timeout}`;
    problems.push(problem(`${place}.LEASE_S`, variables.LEASE_S, expected));
  }
  return problems;
}

function variableProblems(place, name, value) {
  const prefix = RESERVED_PREFIXES.find((reserved) => name.startsWith(reserved));
  if (prefix) return [problem(place, name, `another name: ${prefix} is the platform's own`)];
  if (!/^[A-Za-z]\w*$/.test(name)) {
    return [problem(place, name, "a name of letters, digits and _, beginning with a letter")];
  }
  if (!["string", "number", "boolean"].includes(typeof value)) {
    return [problem(place, value, "a text, a number, true or false")];
  }
  if (SECRET_VARIABLES.includes(name) && !ENV_ALONE.test(value)) {
    return [`${place}: found a secret written out; expected \${env:${name}}`];
  }
  return [];
}

/** Every text of the file: no variable that the CLI refuses, or turns into "undefined". */
function variablesProblems(file) {
  return texts("", file).flatMap(([place, text]) => {
    const foreign = FOREIGN_VARIABLE.exec(text);
    if (foreign) return [problem(place, foreign[0], "${env:NAME}: the CLI knows no other")];
    if (text.search(ENV) === -1 || ENV_ALONE.test(text)) return [];
    if (SECRET_VARIABLES.includes(place.split(".").at(-1))) return []; // told, and not shown
    return [problem(place, text, '${env:NAME} alone: unset, it reads "undefined" in a text')];
  });
}

/** Problems of one node of the file, and of the request that the toolkit makes of it. */
function compare(prefix, node, request, rows) {
  return rows.flatMap(({ at, expected, holds, asked, becomes = (value) => value }) => {
    const actual = dig(node, at);
    const place = prefix + at;
    if (!holds(actual)) {
      return [problem(place, actual, typeof expected === "function" ? expected(actual) : expected)];
    }
    if (!asked) return [];
    const [wanted, got] = [becomes(resolved(actual)), asked(request)];
    if (isDeepStrictEqual(got, wanted)) return [];
    return [`${place}: found ${show(got)} in the toolkit's request; expected ${show(wanted)}`];
  });
}

function problem(place, actual, expected) {
  return `${place}: found ${show(actual)}; expected ${expected}`;
}

/** What the exclude globs should do and don't; null where they do. */
function excludeFault(globs) {
  if (!Array.isArray(globs) || !globs.every(isText)) return "a list of globs";
  const matched = picomatch(globs, { dot: true });
  const missing = UPLOADED.find((path) => matched(path));
  if (missing) return `globs that let ${missing} through`;
  const leaked = LEFT_OUT.find((path) => !matched(path));
  return leaked ? `globs that keep ${leaked} out` : null;
}

function environmentBytes(request) {
  const variables = request.Environment?.Variables ?? [];
  return Buffer.byteLength(variables.map(({ Key, Value }) => Key + Value).join(""));
}

/** The node with a stand-in in place of each ${env:NAME}. */
function resolved(node) {
  if (typeof node === "string") return node.replace(ENV, "<$1>");
  if (Array.isArray(node)) return node.map(resolved);
  if (!isMapping(node)) return node;
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, resolved(value)]));
}

function texts(place, node) {
  if (typeof node === "string") return [[place, node]];
  if (Array.isArray(node)) return node.flatMap((item, index) => texts(`${place}[${index}]`, item));
  if (!isMapping(node)) return [];
  return Object.entries(node).flatMap(([key, value]) =>
    texts(place ? `${place}.${key}` : key, value),
  );
}

function dig(node, path) {
  return path.split(".").reduce((inner, key) => inner?.[key], node);
}

function show(value) {
  return value === undefined ? "nothing" : JSON.stringify(value);
}

function exactly(wanted, reason) {
  return {
    expected: reason ? `${wanted}: ${reason}` : show(wanted),
    holds: (value) => value === wanted,
  };
}

function matches(pattern) {
  return (value) => typeof value === "string" && pattern.test(value);
}

function wholeWithin(minimum, maximum) {
  return (value) => Number.isInteger(value) && value >= minimum && value <= maximum;
}

function isText(value) {
  return typeof value === "string" && value.trim() !== "";
}

function isMapping(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
