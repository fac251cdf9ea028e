/**
 * Where the authorization server keeps what it knows: a `Map`, gone with the process.
 */
interface Payload {
  readonly uid?: string
  readonly grantId?: string
  consumed?: number
}

export const makeAdapter = () => {
  const records = new Map<string, Payload>()
  return (model: string) => {
    const key = (id: string) => `${model}:${id}`
    const find = (predicate: (payload: Payload) => boolean): [string, Payload] | undefined =>
      [...records].find(([key, payload]) => key.startsWith(`${model}:`) && predicate(payload))
    return {
      upsert: async (id: string, payload: Payload) => void records.set(key(id), payload),
      find: async (id: string) => records.get(key(id)),
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
