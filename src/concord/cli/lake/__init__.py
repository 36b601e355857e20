"""``concord lake``: files that are no rows, what tables were, whether they are sound, and what keeps them fit."""

import typer

from concord.cli.lake import bucket, documents, maintenance, soundness, time_travel

app = typer.Typer(help="The lake: documents, time travel, audit, maintenance.", no_args_is_help=True)

app.command()(documents.put)
app.command()(documents.documents)
app.command()(bucket.bucket)
app.command()(time_travel.snapshots)
app.command("as-of")(time_travel.as_of)
app.command()(time_travel.diff)
app.command()(time_travel.rollback)
app.command()(soundness.audit)
app.command()(maintenance.compact)
app.command("rewrite-manifests")(maintenance.rewrite_manifests)
app.command()(maintenance.expire)
app.command("clean-orphans")(maintenance.clean_orphans)
app.command("rebuild")(maintenance.rebuild)
