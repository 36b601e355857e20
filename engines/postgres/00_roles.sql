-- Roles and their passwords; safe to repeat. Run by a superuser.
-- The passwords are settings of the session, so that no file and no server log ever holds them.

do $$
begin
    if not exists (select from pg_roles where rolname = 'shop') then
        create role shop;
    end if;
    if not exists (select from pg_roles where rolname = 'concord_cdc') then
        create role concord_cdc;
    end if;
    execute format('alter role shop login password %L', current_setting('concord.shop_password'));
    execute format('alter role concord_cdc login replication password %L', current_setting('concord.cdc_password'));
end
$$;
