// Copies the playground's libraries from node_modules to assets/npm, compressed, under the same paths that a CDN
// serves them at: name@version/file. Every file must have the integrity hash that libraries.json pins, because the
// binary that has no embedded copy tells browsers to accept only that content from the CDN.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const here = fileURLToPath(new URL(".", import.meta.url));
const target = join(here, "assets", "npm");
const libraries = JSON.parse(readFileSync(join(here, "libraries.json"), "utf8"));

rmSync(target, { recursive: true, force: true });
for (const { name, version, file, integrity } of libraries) {
  const content = readFileSync(join(here, "node_modules", name, file));
  const actual = "sha384-" + createHash("sha384").update(content).digest("base64");
  if (actual !== integrity) {
    throw new Error(`${name}/${file} is ${actual}, libraries.json pins ${integrity} for ${version}: update both together`);
  }
  write(`${name}@${version}/${file}`, content);
}
write("LICENSES.txt", licenses());

function write(path, content) {
  const name = join(target, path + ".gz");
  mkdirSync(dirname(name), { recursive: true });
  writeFileSync(name, gzipSync(content, { level: 9 }));
}

// The bundle contains its dependencies, whose licenses ask that their notices go with every copy.
function licenses() {
  const { packages } = JSON.parse(readFileSync(join(here, "package-lock.json"), "utf8"));
  return Object.entries(packages)
    .filter(([path]) => path !== "")
    .map(([path, { version, license }]) => {
      const file = readdirSync(join(here, path)).find((name) => /^licen[cs]e/i.test(name));
      const text = file ? readFileSync(join(here, path, file), "utf8").trim() : `License: ${license}`;
      return `${path.replace(/.*node_modules\//, "")} ${version}\n\n${text}\n`;
    })
    .join(`\n${"-".repeat(80)}\n\n`);
}
