import { slug } from '../mqtt/topics.ts';

/** The path fit for topics that is meant by one as a person wrote it. */
export function slugPath(path: string): string {
  return path
    .split('/')
    .map((segment) => (/[^a-z0-9_-]/.test(segment) ? slug(segment) : segment))
    .join('/');
}
