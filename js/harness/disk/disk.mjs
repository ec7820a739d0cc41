// Models a disk behind a page cache: synced data stays, and any of the rest may be lost.
//
// A page is written back in sectors, each of which may be written or not. So after a loss of power
// a sector has the content that the page had at some moment since its last sync. Names and sizes
// are as uncertain. After a failed sync each sector also has one of those contents, but the page
// counts as clean: a later sync writes it only if it was written to again.

import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";

const PAGE = 4096;
const SECTOR = 512;

/** How much of the unsynced data reaches the disk. */
const FATES = ["none", "all", "early", "any", "most"];

/** Draws a fate. Returns a function that chooses the version that reached the disk. */
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
 * The versions of a page, a size or a name since its last sync. Each has what programs read
 * (`cached`) and what the disk has if it got that far (`stored`). The disk certainly has the first
 * one.
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

  /** Notes that the disk has the version of the given time. */
  sync(mark) {
    const at = this.all.findLastIndex(({ time }) => time <= mark);
    this.all = [{ ...this.all[at], time: 0 }, ...this.all.slice(at + 1)];
  }
}

/** A page with each sector from the version that `choose` picks. */
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
  /** By page number. A missing page is zeros. */
  #pages = new Map();

  /** What programs read. */
  get cached() {
    return this.#joined(this.#size.cached, (page) => page.cached);
  }

  /** Notes that the file was opened and then had this size. */
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

  /** A failed sync: the disk has any version of each sector, and the page counts as clean. */
  fail(mark, draw) {
    for (const page of this.#pages.values()) {
      const count = page.all.findLastIndex(({ time }) => time <= mark) + 1;
      const until = page.all.slice(0, count);
      const stored = mixed(until, (versions) => draw.pick(versions));
      page.all = [{ ...until[count - 1], time: 0, stored }, ...page.all.slice(count)];
    }
  }

  /** The content on the disk after a loss of power. */
  left(choose) {
    const size = choose(this.#size.all);
    return this.#joined(size.stored, ({ all }) => {
      // A page emptied by a truncation is empty if, and only if, the file has become shorter.
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

/**
 * The disk with one folder, and the log of calls, which is ordered with it but not stored on it.
 */
export class Disk {
  calls = "";
  syncs = { done: 0, failed: 0, told: 0 };
  #folder;
  #log;
  #draw;
  #time = 0;
  #names = new Map();
  /** What each descriptor is open on: a file, the folder, the log, or undefined. */
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

  /** Writes what a loss of power leaves into a new folder. */
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
    // The index of a log is shared memory. The next process to open the database makes it again.
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
    // The index is not kept.
    if (!name.endsWith("-shm")) this.#names.set(name, versions);
    return versions;
  }

  #synced({ file, mark }, status) {
    this.syncs[status] += 1;
    if (status === "failed") file?.fail(mark, this.#draw);
    else file?.sync(mark);
  }

  /** A sync of the folder stores its names. */
  sync(mark) {
    for (const versions of this.#names.values()) versions.sync(mark);
  }
}
