import { CheckpointerError } from "../errors.js";
import { sharedAmongCopies } from "../platform/shared-class.js";

/** What went wrong; stable, for programs. */
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

/** Formats a path inside a value as in code: `messages[3].metadata`. */
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
 * A value could not be written, or stored bytes could not be read. The message names the place and
 * never contains any of the value.
 */
export class SerializationError extends CheckpointerError {
  declare readonly code: SerializationErrorCode;
  /**
   * The place of the value, such as `messages[3].metadata`. It begins with the channel if a saver
   * writes; empty for the value itself.
   */
  readonly path: string;
  readonly #say: (place: string) => string;
  readonly #steps: readonly PathStep[];

  /** @param say Makes the message, given the place in words. */
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

  /** The same error, for a value that contains this one at a place. */
  within(outer: readonly PathStep[]): SerializationError {
    const options = this.cause === undefined ? {} : { cause: this.cause };
    return new SerializationError(this.code, this.#say, [...outer, ...this.#steps], options);
  }
}

sharedAmongCopies({ SerializationError });

/** A place in words, for a message. */
export function describePlace(path: readonly PathStep[]): string {
  return path.length === 0 ? "the value itself" : formatPath(path);
}
