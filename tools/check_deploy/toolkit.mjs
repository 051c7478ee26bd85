// What Tencent's deploy toolkit makes of the file's inputs: the fields of the requests to
// the platform. Only its pure formatting functions are called; none of them opens a
// connection, and no credentials are handed in.

import functionFormatting from "tencent-component-toolkit/lib/modules/scf/utils.js";
import triggerFormatting from "tencent-component-toolkit/lib/modules/triggers/index.js";

const NAMESPACE = "default";
const REGION = "ap-guangzhou"; // asked for by the constructors, and not used in formatting

/** The fields of CreateFunction. */
export function functionRequest(inputs) {
  return functionFormatting.formatInputs(inputs);
}

/** The fields of CreateTrigger, with TriggerDesc parsed where it is JSON (http). */
export function triggerRequest(kind, event, functionName) {
  const Trigger = triggerFormatting.default[kind];
  const { triggerInputs } = new Trigger({ credentials: {}, region: REGION }).formatInputs({
    region: REGION,
    inputs: { functionName, namespace: NAMESPACE, ...event },
  });
  if (kind !== "http") return triggerInputs;
  return { ...triggerInputs, TriggerDesc: JSON.parse(triggerInputs.TriggerDesc) };
}
