// Functions of the generated code read what they are given back, each for itself, in text that is
// the same but for the numbers in its names. Here one function reads for all of them: there is less
// to load, and what reads is compiled once.

/** Reads the result at `ret`: from its first switch up to what follows it. */
const READING = new RegExp(
  String.raw`let (variant\d+);\s*switch \(dataView\(memory0\)\.getUint8\(ret \+ 0, true\)\) \{` +
    String.raw`[\s\S]*?(?=\n\s*_debugLog\()`,
  "g",
);
/** A name that the generator numbers. */
const NUMBERED = /\b([A-Za-z]+)(\d+)(_\d+)?\b/g;
const SHARED_BY_ALL = /^(memory|realloc|exports|handleTable|finalizationRegistry)\d+$/;
/** After this comes the code of the functions. */
const BEGIN = /\n\s*HANDLE_TABLES\[0\] = handleTable0;/;

/** The code, with one reader for every text that occurs more than once. */
export function withSharedReaders(code) {
  const groups = new Map();
  for (const [text, variable] of code.matchAll(READING)) {
    const shape = shapeOf(text);
    groups.set(shape, [...(groups.get(shape) ?? []), { text, variable }]);
  }
  const readers = [];
  let shared = code;
  for (const group of groups.values()) {
    if (group.length === 1) continue;
    const name = `readResult${readers.length}`;
    const [{ text, variable }] = group;
    readers.push(`\nfunction ${name}(ret) {\n${text}\nreturn ${variable};\n}\n`);
    for (const one of group) {
      shared = shared.replace(one.text, () => `const ${one.variable} = ${name}(ret);`);
    }
  }
  if (readers.length === 0) throw new Error("no two functions read the same");
  if (!BEGIN.test(shared)) throw new Error("the generated code begins in another way");
  return shared.replace(BEGIN, (begin) => `${begin}${readers.join("")}`);
}

/** The text with its numbered names counted from the beginning. */
function shapeOf(text) {
  const names = new Map();
  const shape = text.replace(NUMBERED, (name, base, number, rest = "") => {
    const whole = `${base}${number}`;
    if (SHARED_BY_ALL.test(whole) || base.startsWith("operations")) return name;
    if (!names.has(whole)) names.set(whole, `${base}#${names.size}`);
    return `${names.get(whole)}${rest}`;
  });
  return shape.replace(/\s+/g, " ");
}
