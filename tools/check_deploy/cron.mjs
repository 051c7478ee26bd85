// Cron expressions as SCF's timer takes them: seven fields, seconds first, a year last
// (cloud.tencent.com/document/product/583/9708). A day and a weekday that are both given
// are joined by "or".

const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

const FIELDS = [
  { name: "second", least: 0, most: 59 },
  { name: "minute", least: 0, most: 59 },
  { name: "hour", least: 0, most: 23 },
  { name: "day", least: 1, most: 31, special: /^(\?|L|LW|\d{1,2}W)$/ },
  { name: "month", least: 1, most: 12, words: MONTHS },
  { name: "weekday", least: 0, most: 6, words: WEEKDAYS, special: /^(\?|[0-6]L|[0-6]#[1-5])$/ },
  { name: "year", least: 1970, most: 2099 },
];

/** What should stand where the expression is wrong; null where nothing is. */
export function cronFault(expression) {
  const parts = typeof expression === "string" ? expression.trim().split(/\s+/) : [];
  if (parts.length !== FIELDS.length) {
    return `a text of 7 cron fields (${FIELDS.map(({ name }) => name).join(" ")})`;
  }
  const wrong = FIELDS.findIndex((field, index) => !fits(parts[index], field));
  if (wrong === -1) return null;
  const { name, least, most } = FIELDS[wrong];
  return `${least} to ${most} as the ${name}, in place of "${parts[wrong]}"`;
}

/** Whether a field is a list of: *, a value or a range, each with or without a /step. */
function fits(part, field) {
  return part.split(",").every((item) => field.special?.test(item) || fitsItem(item, field));
}

function fitsItem(item, field) {
  const [span, step, ...rest] = item.split("/");
  if (rest.length > 0 || (step !== undefined && !/^[1-9]\d*$/.test(step))) return false;
  if (span === "*") return true;
  const bounds = span.split("-").map((bound) => value(bound, field));
  return (
    bounds.length <= 2 &&
    bounds.every((bound) => bound >= field.least && bound <= field.most) &&
    bounds[0] <= bounds.at(-1)
  );
}

/** The number that a bound stands for; NaN, which is within no limits, where it is none. */
function value(bound, { words = [], least }) {
  if (words.includes(bound)) return words.indexOf(bound) + least;
  return /^\d+$/.test(bound) ? Number(bound) : NaN;
}
