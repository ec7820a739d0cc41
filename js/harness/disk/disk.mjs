// A disk behind a page cache: what is synced stays, of the rest anything may.
//
// A page is written back whole, in sectors that are each written or not. So after a loss of power a
// sector holds what the page held at some moment since it was last synced. Names and sizes are as
// uncertain. After a sync that failed each sector has one of those contents as well, but the page
// counts as clean: only another write to it has a later sync look at it again.

import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

const PAGE = 4096;
const SECTOR = 512;

/** What may become of what was not synced. */
const FATES = ["none", "all", "early", "any", "most"];

/** Draws what the disk has got: a function that chooses among versions by their times. */
function drawFate(draw, now) {
  const fate = draw.pick(FATES);
  const early = draw.below(now + 1);
  return (versions) => {
    const last = versions.length - 1;
    if (fate === "none") return versions[0];
    if (fate === "early") return versions.findLast(({ time }) => time <= early);
    if (fate === "any") return versions[draw.below(last + 1)];
    return fate === "all" || draw.chance(0.9) ? versions[last] : versions[draw.below(last + 1)];
  };
}

/**
 * Something with what it was since it was last synced. Each version says what programs read of it
 * and what the disk has if it got that far; the first is what the disk has for certain.
 */
class Versions {
  constructor(value) {
    this.all = [{ time: 0, cached: value, stored: value }];
  }

  get cached() {
    return this.all[this.all.length - 1].cached;
  }

  add(time, value, cut = false) {
    this.all.push({ time, cached: value, stored: value, cut });
  }

  /** The disk has what was there at a time. */
  sync(mark) {
    const at = this.all.findLastIndex(({ time }) => time <= mark);
    this.all = [{ ...this.all[at], time: 0 }, ...this.all.slice(at + 1)];
  }
}

/** A page, each sector of it from a version that is chosen. */
function mixed(versions, choose) {
  const [first] = versions;
  if (versions.length === 1) return first.stored;
  const page = Buffer.alloc(PAGE);
  for (let at = 0; at < PAGE; at += SECTOR) {
    choose(versions).stored.copy(page, at, at, at + SECTOR);
  }
  return page;
}

class File {
  #size = new Versions(0);
  /** By number; a page that is not there is zeros. */
  #pages = new Map();

  /** What programs read. */
  get cached() {
    return this.#joined(this.#size.cached, (page) => page.cached);
  }

  /** The file was opened and had this size then. */
  opened(time, size) {
    if (size === 0 && this.#size.cached > 0) this.truncate(time, 0);
  }

  write(time, offset, data) {
    const end = offset + data.length;
    for (let at = offset; at < end; ) {
      const number = Math.floor(at / PAGE);
      const within = at - number * PAGE;
      const versions = this.#page(number);
      const page = Buffer.from(versions.cached);
      at += data.copy(page, within, at - offset);
      versions.add(time, page);
    }
    if (end > this.#size.cached) this.#size.add(time, end);
  }

  truncate(time, size) {
    for (const [number, versions] of this.#pages) {
      const within = Math.max(size - number * PAGE, 0);
      if (within >= PAGE) continue;
      versions.add(time, Buffer.from(versions.cached).fill(0, within), true);
    }
    this.#size.add(time, size);
  }

  sync(mark) {
    this.#size.sync(mark);
    for (const page of this.#pages.values()) page.sync(mark);
  }

  /** Of each sector the disk has something, and the page is clean. */
  fail(mark, draw) {
    for (const page of this.#pages.values()) {
      const count = page.all.findLastIndex(({ time }) => time <= mark) + 1;
      const until = page.all.slice(0, count);
      const stored = mixed(until, (versions) => draw.pick(versions));
      page.all = [{ ...until[count - 1], time: 0, stored }, ...page.all.slice(count)];
    }
  }

  /** What is on the disk after a loss of power. */
  left(choose) {
    const size = choose(this.#size.all);
    return this.#joined(size.stored, ({ all }) => {
      // What a truncation emptied is empty if, and only if, the file has become shorter.
      const emptied = all.findLastIndex(({ cut, time }) => cut && time <= size.time);
      const versions = all.filter(
        ({ cut, time }, at) => at >= emptied && !(cut && time > size.time),
      );
      return mixed(versions, choose);
    });
  }

  #page(number) {
    const known = this.#pages.get(number);
    if (known !== undefined) return known;
    const page = new Versions(Buffer.alloc(PAGE));
    this.#pages.set(number, page);
    return page;
  }

  #joined(size, contentOf) {
    const whole = Buffer.alloc(size);
    for (const [number, page] of this.#pages) {
      if (number * PAGE < size) contentOf(page).copy(whole, number * PAGE);
    }
    return whole;
  }
}

/** The disk below one folder, and the log of calls, which is in the same order but not on it. */
export class Disk {
  calls = "";
  syncs = { done: 0, failed: 0, told: 0 };
  #folder;
  #log;
  #draw;
  #time = 0;
  #names = new Map();
  /** What descriptors are open on: a file, the folder, the log, or nothing of interest. */
  #open = new Map();
  #syncing = new Map();

  constructor(folder, log, draw) {
    this.#folder = folder;
    this.#log = log;
    this.#draw = draw;
  }

  apply(record) {
    this.#time += 1;
    const path = record.data.toString();
    const file = this.#open.get(record.descriptor);
    if (record.kind === "open") {
      this.#open.set(record.descriptor, this.#opened(path, record.offset));
    } else if (record.kind === "write") {
      if (file === "log") this.calls += path;
      else file?.write(this.#time, record.offset, record.data);
    } else if (record.kind === "truncate") {
      file?.truncate(this.#time, record.offset);
    } else if (record.kind === "sync-begin") {
      this.#syncing.set(record.sync, { file, mark: this.#time });
    } else if (record.kind === "sync-end") {
      this.#synced(this.#syncing.get(record.sync), record.status);
    } else if (record.kind === "unlink") {
      this.#name(path).add(this.#time, undefined);
    } else if (record.kind === "rename") {
      const [from, to] = path.split("\0").map((one) => this.#name(one));
      to.add(this.#time, from.cached);
      from.add(this.#time, undefined);
    }
  }

  /** What programs read of each file. */
  get cached() {
    const files = [...this.#names].map(([name, { cached }]) => [name, cached?.cached]);
    return new Map(files.filter(([, content]) => content !== undefined));
  }

  /** Writes what is left after a loss of power into a new folder. */
  losePower(folder, draw) {
    const choose = drawFate(draw, this.#time);
    mkdirSync(folder);
    for (const [name, versions] of this.#names) {
      const content = choose(versions.all).stored?.left(choose);
      if (content !== undefined) writeFileSync(join(folder, name), content);
    }
  }

  #opened(path, size) {
    if (path === this.#folder) return this;
    if (path === this.#log) return "log";
    // The index of a log is shared memory, and is made anew by whoever opens the database first.
    if (path.endsWith("-shm")) return undefined;
    const name = this.#name(path);
    if (name.cached === undefined) name.add(this.#time, new File());
    name.cached.opened(this.#time, size);
    return name.cached;
  }

  #name(path) {
    const name = basename(path);
    const known = this.#names.get(name);
    if (known !== undefined) return known;
    const versions = new Versions(undefined);
    // The index is nobody's.
    if (!name.endsWith("-shm")) this.#names.set(name, versions);
    return versions;
  }

  #synced({ file, mark }, status) {
    this.syncs[status] += 1;
    if (status === "failed") file?.fail(mark, this.#draw);
    else file?.sync(mark);
  }

  /** A folder's sync is that of its names. */
  sync(mark) {
    for (const versions of this.#names.values()) versions.sync(mark);
  }
}
