// Checks documents against the schemas that their projects publish.
//
//   node check.mjs kubernetes < documents.json     a list of Kubernetes objects
//   node check.mjs cyclonedx < bom.json            a bill of materials
//
// Prints what is wrong, one finding a line, and ends with 1 if there was any.
import { text } from "node:stream/consumers";

import { Spec, Validation } from "@cyclonedx/cyclonedx-library";
import ts from "typescript";

const checks = { kubernetes, cyclonedx };
const findings = await checks[process.argv[2]](JSON.parse(await text(process.stdin)));
findings.forEach((finding) => console.log(finding));
process.exitCode = findings.length ? 1 : 0;

// The schemas define the values, but accept unknown fields, as an API server does that prunes them. The TypeScript
// types of the same models list every field.
async function kubernetes(documents) {
  const values = await Promise.all(documents.map(wrongValues));
  return [...values.flat(), ...unknownFields(documents)];
}

// "networking.istio.io/v1" is in the package @kubernetes-models/istio, plain "v1" in kubernetes-models.
function moduleOf({ apiVersion }) {
  const homes = {
    "gateway.envoyproxy.io": "@kubernetes-models/envoy-gateway",
    "gateway.networking.k8s.io": "@kubernetes-models/gateway-api",
    "extensions.istio.io": "@kubernetes-models/istio",
    "networking.istio.io": "@kubernetes-models/istio",
    "telemetry.istio.io": "@kubernetes-models/istio",
  };
  return `${homes[apiVersion.split("/")[0]] ?? "kubernetes-models"}/${apiVersion}`;
}

async function wrongValues(document) {
  const { [document.kind]: Model } = await import(moduleOf(document));
  try {
    new Model(document).validate();
    return [];
  } catch (error) {
    const name = `${document.kind} ${document.metadata?.name}`;
    return error.errors.map(({ instancePath, message, params }) => `${name}: ${instancePath} ${message} ${JSON.stringify(params)}`);
  }
}

function unknownFields(documents) {
  const file = new URL("documents.ts", import.meta.url).pathname; // beside node_modules, in memory only
  const declarations = documents.map((document, i) =>
    `import type { I${document.kind} as T${i} } from "${moduleOf(document)}";\nexport const d${i}: T${i} = ${JSON.stringify(document)};`,
  );
  const options = { noEmit: true, strict: true, skipLibCheck: true, module: ts.ModuleKind.NodeNext, target: ts.ScriptTarget.ESNext, types: [] };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = (name) => name === file || fileExists(name);
  host.getSourceFile = (name, ...rest) =>
    name === file ? ts.createSourceFile(name, declarations.join("\n"), ts.ScriptTarget.ESNext) : getSourceFile(name, ...rest);
  const program = ts.createProgram([file], options, host);
  return ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, " "));
}

async function cyclonedx(bill) {
  const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
  const error = await validator.validate(JSON.stringify(bill));
  return error ? [JSON.stringify(error)] : [];
}
