/** Full screen, by the names that it has had. */

/** Whether `root` fills the screen. */
export function isFullscreen(root: HTMLElement): boolean {
  return (document.fullscreenElement ?? (document as WebkitDocument).webkitFullscreenElement) === root;
}

/** Fills the screen with `root`, or with `video` alone where the system knows no more; or ends that. */
export function toggleFullscreen(root: WebkitElement, video: HTMLVideoElement): void {
  const page = document as WebkitDocument;
  const ignore = (): void => undefined;
  if (isFullscreen(root)) {
    if (document.exitFullscreen) document.exitFullscreen().catch(ignore);
    else page.webkitExitFullscreen?.();
  } else if (root.requestFullscreen) {
    root.requestFullscreen().then(turnSideways, ignore);
  } else if (root.webkitRequestFullscreen) root.webkitRequestFullscreen();
  // An iPhone enlarges nothing but a video.
  else (video as WebkitVideo).webkitEnterFullscreen?.();
}

/** A phone held upright shows a lesson sideways in full screen, where it may. */
function turnSideways(): void {
  const orientation = screen.orientation as (ScreenOrientation & { lock?(to: string): Promise<void> }) | undefined;
  orientation?.lock?.('landscape').catch(() => undefined);
}

interface WebkitElement extends HTMLElement {
  webkitRequestFullscreen?(): void;
}

interface WebkitDocument extends Document {
  webkitFullscreenElement?: Element | null;
  webkitExitFullscreen?(): void;
}

interface WebkitVideo extends HTMLVideoElement {
  webkitEnterFullscreen?(): void;
}
