/** The list of files to be taken home, as published. Pure. */

import { STAGES, type Stage } from './catalogue';

export const RESOURCE_KINDS = ['textbook', 'audio', 'document', 'app'] as const;
export type ResourceKind = (typeof RESOURCE_KINDS)[number];

export interface ResourceFile {
  path: string;
  name: string;
  bytes: number;
  sha256: string;
}

export interface Resource {
  id: string;
  title: string;
  kind: ResourceKind;
  stage: Stage;
  grade: string;
  subject: string;
  edition: string;
  volume: string;
  provider: string;
  licence: string;
  /** Of an app; empty otherwise. */
  link: string;
  files: ResourceFile[];
}

/** As in `crates/package`. */
const MAX_RESOURCES = 20_000;
const MAX_FILES = 500;
const MAX_TEXT_CHARS = 200;

const ID = /^[a-z0-9._-]{1,64}$/;
const PATH = /^r\/([0-9a-f]{64})\.(pdf|mp3|zip)$/;
const LINK = /^https:\/\/[^\s"'<>]{1,190}$/;

/** Undefined where it is nothing of the kind; entries that lead nowhere are left out. */
export function parseResources(json: unknown): Resource[] | undefined {
  const { resources } = (json ?? {}) as Record<string, unknown>;
  if (!Array.isArray(resources)) return undefined;
  return resources.slice(0, MAX_RESOURCES).flatMap((entry: unknown): Resource[] => {
    const said = (entry ?? {}) as Record<string, unknown>;
    const id = text(said.resource);
    const kind = RESOURCE_KINDS.find((known) => known === said.kind);
    const link = text(said.link);
    const files = Array.isArray(said.files) ? said.files.slice(0, MAX_FILES).flatMap(file) : [];
    if (!ID.test(id) || !kind || !text(said.title) || (kind === 'app' ? !LINK.test(link) : files.length === 0)) return [];
    return [
      {
        id, kind, title: text(said.title), stage: STAGES.find((known) => known === said.stage) ?? 'other', grade: text(said.grade),
        subject: text(said.subject), edition: text(said.edition), volume: text(said.volume), provider: text(said.provider), licence: text(said.licence),
        link: kind === 'app' ? link : '', files: kind === 'app' ? [] : files,
      },
    ];
  });
}

function file(entry: unknown): ResourceFile[] {
  const said = (entry ?? {}) as Record<string, unknown>;
  const path = text(said.path);
  const sha256 = PATH.exec(path)?.[1];
  if (!sha256 || !text(said.name) || typeof said.bytes !== 'number') return [];
  return [{ path, sha256, name: text(said.name), bytes: said.bytes }];
}

function text(value: unknown): string {
  if (typeof value === 'number' && Number.isFinite(value)) return String(value);
  return typeof value === 'string' ? value.trim().slice(0, MAX_TEXT_CHARS) : '';
}

/** A province's own platform. */
export interface Platform {
  id: string;
  zh: string;
  en: string;
  url: string;
  /** Whose health tells whether it can be reached; empty where nobody knows. */
  group: string;
  /** The id of another, for meanwhile. */
  instead: string;
}

/** The directory of platforms; none where it is nothing of the kind. */
export function parsePlatforms(json: unknown): Platform[] {
  const { platform } = (json ?? {}) as Record<string, unknown>;
  if (!Array.isArray(platform)) return [];
  return platform.slice(0, 500).flatMap((entry: unknown): Platform[] => {
    const said = (entry ?? {}) as Record<string, unknown>;
    const found = { id: text(said.id), zh: text(said.zh), en: text(said.en), url: text(said.url), group: text(said.group), instead: text(said.instead) };
    return found.id && found.zh && LINK.test(found.url) ? [found] : [];
  });
}

/** Groups that cannot be reached from the node that answers us. */
export function groupsDown(json: unknown): Set<string> {
  const { groups } = (json ?? {}) as Record<string, unknown>;
  return new Set(Object.entries((groups ?? {}) as Record<string, unknown>).filter(([, word]) => word === 'down').map(([name]) => name));
}

/** What was found when somebody last looked is believed for so long, in milliseconds. */
const STANDING_MS = 6 * 3_600_000;

/** Platforms that gave no answer, by their ids; none where nobody has looked lately. */
export function platformsDown(json: unknown, now: number): Set<string> {
  const { at_s: at, platforms } = (json ?? {}) as Record<string, unknown>;
  if (typeof at !== 'number' || Math.abs(now - at * 1_000) > STANDING_MS) return new Set();
  return new Set(Object.entries((platforms ?? {}) as Record<string, unknown>).filter(([, word]) => word === 'down').map(([id]) => id));
}
