// Reads Mermaid texts with the real Mermaid: a JSON list of texts comes in, and what was found in each goes out.
// Its argument is the folder of the package. Mermaid wants a page around it. It gets one with so little in it that what
// cleans the HTML of labels does not start, so that labels come out as they were read.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

class Element {}
const document = { nodeType: 9, implementation: {}, createElement: () => ({}) };
globalThis.window = { addEventListener() {}, document, Element, Node: Element };
globalThis.document = document;
const { default: mermaid } = await import(new URL("dist/mermaid.esm.min.mjs", pathToFileURL(`${process.argv[2]}/`)));

// Until it draws, Mermaid keeps `#34;` in a form of its own.
const shown = (text) => (text ?? "").replace(/ﬂ°°(\d+)¶ß/g, (_, number) => String.fromCodePoint(Number(number)));

const found = [];
for (const text of JSON.parse(readFileSync(0, "utf-8"))) {
  try {
    await mermaid.parse(text);
    const { db } = await mermaid.mermaidAPI.getDiagramFromText(text);
    found.push({
      nodes: [...db.getVertices().values()].map((node) => [node.id, shown(node.text)]),
      edges: db.getEdges().map((edge) => [edge.start, edge.end, shown(edge.text)]),
      groups: db.getSubGraphs().map((group) => [group.id, shown(group.title)]),
    });
  } catch (error) {
    found.push({ error: String(error) });
  }
}
console.log(JSON.stringify(found));
