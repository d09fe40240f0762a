export function withReasons(page: string): string;
