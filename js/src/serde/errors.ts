import { CheckpointerError } from "../errors.js";
import { sharedAmongCopies } from "../platform/shared-class.js";

/** What went wrong, as a stable name a program can compare. */
export type SerializationErrorCode =
  | "cyclic-value"
  | "unserializable-value"
  | "unreadable-value"
  | "unknown-serialization-type"
  | "serializer-failed";

/** One step into a value: an object's key or an array's index. */
export type PathStep = string | number;

const STEPS_SHOWN_MAX = 40;
const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;

/** Writes the way to a place inside a value as one would in code: `messages[3].metadata`. */
export function formatPath(steps: readonly PathStep[]): string {
  let text = "";
  for (const step of steps.slice(0, STEPS_SHOWN_MAX)) {
    if (typeof step === "number") text += `[${step}]`;
    else if (!IDENTIFIER.test(step)) text += `[${JSON.stringify(step)}]`;
    else text += text === "" ? step : `.${step}`;
  }
  return steps.length > STEPS_SHOWN_MAX ? `${text}...` : text;
}

/**
 * A value could not be written, or stored bytes could not be read. The message names the place
 * and never holds any of the value.
 */
export class SerializationError extends CheckpointerError {
  declare readonly code: SerializationErrorCode;
  /**
   * The place of the value, such as `messages[3].metadata`, with the channel first where a saver
   * writes; empty for the value itself.
   */
  readonly path: string;
  readonly #say: (place: string) => string;
  readonly #steps: readonly PathStep[];

  /** @param say The message, of the place. */
  constructor(
    code: SerializationErrorCode,
    say: (place: string) => string,
    path: readonly PathStep[] = [],
    options?: ErrorOptions,
  ) {
    super(code, say(describePlace(path)), options);
    this.path = formatPath(path);
    this.#say = say;
    this.#steps = path;
  }

  /** The same of a value that lies in another at a place. */
  within(outer: readonly PathStep[]): SerializationError {
    const options = this.cause === undefined ? {} : { cause: this.cause };
    return new SerializationError(this.code, this.#say, [...outer, ...this.#steps], options);
  }
}

sharedAmongCopies({ SerializationError });

/** Names a place for a message, where the value itself has no path. */
export function describePlace(path: readonly PathStep[]): string {
  return path.length === 0 ? "the value itself" : formatPath(path);
}
