-- Who may enter the shop's database; safe to repeat. Run in it, by a superuser.

do $$
begin
    execute format('alter database %I owner to shop', current_database());
    execute format('revoke all on database %I from public', current_database());
    execute format('grant connect on database %I to concord_cdc', current_database());
end
$$;
