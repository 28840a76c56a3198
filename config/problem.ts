/** One fault of a configuration: where it stands, what was expected and what came. */
export interface ConfigProblem {
	/** 1-based; null when the fault has no place in the text (an empty file, a missing variable). */
	readonly line: number | null;
	readonly column: number | null;
	/** `providers[0].models[1].model`; empty for the whole file. */
	readonly path: string;
	readonly message: string;
}

export type Path = readonly (string | number)[];

export function pathText(path: Path): string {
	return path.map((step, i) => (typeof step === 'number' ? `[${step}]` : i === 0 ? step : `.${step}`)).join('');
}

/** `linnet.yaml:12:5  providers[0].interval: expected …` */
export function formatProblem(file: string, { line, column, path, message }: ConfigProblem): string {
	const place = line === null ? file : `${file}:${line}:${column ?? 1}`;
	return `${place}  ${path === '' ? '' : `${path}: `}${message}`;
}

/** A problem before its line is known. */
export interface Fault {
	readonly path: Path;
	readonly message: string;
}
