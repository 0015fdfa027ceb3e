/** How long another tab may take to answer. Milliseconds. */
const answerMs = 200;

interface Message {
  kind: 'ask' | 'answer' | 'news';
  key?: string | undefined;
}

export interface TabsFollower {
  /** Of the session that this tab has; null: none. */
  key(): string | null;
  /** Somebody signed in in another tab; undefined: signed out. */
  onKey(key: string | undefined): void;
}

/**
 * The tabs of this page in one browser. There is one cookie for all of them, so there is one session:
 * a key that is kept for a tab only is handed on to new ones, and who signs in or out does so in all.
 * No page of another origin hears of it, also not at another port of the same host.
 *
 * Source: WHATWG HTML, 9.5 Broadcasting to other browsing contexts
 */
export class Tabs {
  readonly #channel: BroadcastChannel;

  constructor(name: string) {
    this.#channel = new BroadcastChannel(name);
  }

  follow({ key, onKey }: TabsFollower): void {
    this.#channel.addEventListener('message', ({ data }: MessageEvent<Message>) => {
      const own = key();
      if (data.kind === 'ask' && own !== null) this.#send({ kind: 'answer', key: own });
      if (data.kind === 'news') onKey(data.key);
    });
  }

  /** The key that another tab has; undefined: none has one, or none answers. */
  ask(): Promise<string | undefined> {
    return new Promise((resolve) => {
      const end = (key?: string) => {
        clearTimeout(timer);
        this.#channel.removeEventListener('message', listen);
        resolve(key);
      };
      const listen = ({ data }: MessageEvent<Message>) => {
        if (data.kind === 'answer') end(data.key);
      };
      const timer = setTimeout(end, answerMs);
      this.#channel.addEventListener('message', listen);
      this.#send({ kind: 'ask' });
    });
  }

  /** @param key undefined: nobody is signed in any more */
  tell(key: string | undefined): void {
    this.#send({ kind: 'news', key });
  }

  #send(message: Message): void {
    this.#channel.postMessage(message);
  }
}
