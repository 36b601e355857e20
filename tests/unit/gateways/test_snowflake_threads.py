"""The driver's reader of Arrow, first used by several threads at once, waits for itself for ever unless it was made before."""

import subprocess
import sys

AT_ONCE = """
import sys
import threading

import pyarrow as pa
from snowflake.connector.arrow_context import ArrowConverterContext
from snowflake.connector.nanoarrow_arrow_iterator import PyArrowRowIterator

sys.setswitchinterval(1e-6)
rows = pa.table({"n": pa.array([1])})
stream = pa.BufferOutputStream()
with pa.ipc.new_stream(stream, rows.schema) as writer:
    writer.write_table(rows)
start = threading.Barrier(8)

def read():
    start.wait()
    PyArrowRowIterator(None, stream.getvalue().to_pybytes(), ArrowConverterContext({}), False, False, False, True)

threads = [threading.Thread(target=read) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def test_threads_may_read_at_once_where_the_gateway_was_imported() -> None:
    subprocess.run([sys.executable, "-c", "import concord.gateways.snowflake\n" + AT_ONCE], check=True, timeout=120)


def test_dbt_reads_through_a_driver_that_the_gateway_has_made_fit() -> None:
    loaded = "import concord.batch.dbt_process, sys; assert 'concord.gateways.snowflake' in sys.modules"
    subprocess.run([sys.executable, "-c", loaded], check=True, timeout=120)
