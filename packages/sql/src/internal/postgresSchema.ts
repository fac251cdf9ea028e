import type { Tables } from "./tables.js"

export const schema = ({ prefix, sessions, signIns }: Tables): ReadonlyArray<string> => [
  `CREATE TABLE ${sessions} (
    id bytea PRIMARY KEY,
    name text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    generation bigint NOT NULL,
    state text NOT NULL,
    attempt text,
    until bigint,
    unresolved integer NOT NULL,
    detail text NOT NULL,
    renewed_at bigint NOT NULL,
    payload text NOT NULL
  )`,
  `CREATE INDEX ${sessions}_idle ON ${sessions} (renewed_at) WHERE state <> 'Dead'`,
  `CREATE TABLE ${signIns} (
    id bytea PRIMARY KEY,
    name text COLLATE "C" NOT NULL,
    version integer NOT NULL,
    expires_at bigint NOT NULL,
    consumed integer NOT NULL,
    payload text NOT NULL
  )`,
  `CREATE INDEX ${signIns}_expiry ON ${signIns} (expires_at)`,
  `CREATE FUNCTION ${prefix}tell() RETURNS trigger LANGUAGE plpgsql AS $$
  DECLARE
    changed ${sessions}%ROWTYPE;
  BEGIN
    IF TG_OP = 'DELETE' THEN changed := OLD; ELSE changed := NEW; END IF;
    IF TG_OP = 'UPDATE' THEN
      IF OLD.generation = NEW.generation AND OLD.payload = NEW.payload THEN RETURN NULL; END IF;
    ELSIF changed.generation = 0 THEN RETURN NULL;
    END IF;
    PERFORM pg_notify('${sessions}', CASE WHEN octet_length(changed.name) <= 7000
      THEN 'name:' || changed.name
      ELSE 'id:' || encode(changed.id, 'hex') END);
    RETURN NULL;
  END $$`,
  `CREATE TRIGGER ${prefix}tell AFTER INSERT OR UPDATE OR DELETE ON ${sessions}
    FOR EACH ROW EXECUTE FUNCTION ${prefix}tell()`
]
