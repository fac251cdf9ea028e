/**
 * Where the authorization server keeps what it knows: a `Map`, gone with the process.
 */

export interface Options {
  /** For how long a refresh token that was used is taken for an unused one, in seconds. Default: not at all. */
  readonly graceSeconds?: number | undefined
}

interface Payload {
  readonly uid?: string
  readonly grantId?: string
  consumed?: number
}

export const makeAdapter = ({ graceSeconds = 0 }: Options = {}) => {
  const records = new Map<string, Payload>()
  return (model: string) => {
    const key = (id: string) => `${model}:${id}`
    const find = (predicate: (payload: Payload) => boolean): [string, Payload] | undefined =>
      [...records].find(([key, payload]) => key.startsWith(`${model}:`) && predicate(payload))
    return {
      upsert: async (id: string, payload: Payload) => void records.set(key(id), payload),
      find: async (id: string) => {
        const payload = records.get(key(id))
        const isInGrace = model === "RefreshToken" && payload?.consumed !== undefined &&
          Date.now() / 1000 < payload.consumed + graceSeconds
        return isInGrace ? { ...payload, consumed: undefined } : payload
      },
      findByUid: async (uid: string) => find((payload) => payload.uid === uid)?.[1],
      findByUserCode: async () => undefined,
      destroy: async (id: string) => void records.delete(key(id)),
      consume: async (id: string) => {
        const payload = records.get(key(id))
        if (payload !== undefined) payload.consumed = Math.floor(Date.now() / 1000)
      },
      revokeByGrantId: async (grantId: string) => {
        for (const [key, payload] of records) {
          if (key.startsWith(`${model}:`) && payload.grantId === grantId) records.delete(key)
        }
      }
    }
  }
}
