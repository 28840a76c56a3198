/** Variables by name; undefined is not set. */
export type Environment = Readonly<Record<string, string | undefined>>;
