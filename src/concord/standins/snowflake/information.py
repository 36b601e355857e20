"""INFORMATION_SCHEMA.TABLES with the views in it, which fakesnow leaves out."""

from fakesnow.info_schema import SQL_CREATE_INFORMATION_SCHEMA_TABLES_VIEW

_OWN = "_fs_information_schema"


def tables_view(database: str) -> str:
    """The statement that makes the view anew for one database."""
    tables = SQL_CREATE_INFORMATION_SCHEMA_TABLES_VIEW.substitute(catalog=database)
    tables = tables.replace("create view if not exists", "create or replace view", 1)
    return f"""{tables}
    union all by name
    select
        database_name as "TABLE_CATALOG",
        schema_name as "TABLE_SCHEMA",
        view_name as "TABLE_NAME",
        'SYSADMIN' as "TABLE_OWNER",
        'VIEW' as "TABLE_TYPE",
        'NO' as "IS_TRANSIENT",
        to_timestamp(0)::timestamptz as "CREATED",
        to_timestamp(0)::timestamptz as "LAST_ALTERED",
        to_timestamp(0)::timestamptz as "LAST_DDL",
        extension.comment as "COMMENT"
    from duckdb_views() views
    left join _fs_global.{_OWN}._fs_tables_ext extension on
        database_name = extension.ext_table_catalog and
        schema_name = extension.ext_table_schema and
        view_name = extension.ext_table_name
    where database_name = '{database}' and not internal and schema_name != '{_OWN}'
    """
