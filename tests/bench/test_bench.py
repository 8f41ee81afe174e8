"""The bench's own arithmetic: what it reads, how it judges, what it prints."""

import contextlib
import http.server
import json
import os
import ssl
import threading

import pytest

from tests.bench import (
    certificates,
    first_answer,
    load,
    owner,
    power_on,
    processes,
    report,
    table,
    throughput,
)

WRK = """Running 3s test @ https://127.0.0.1:7771/
  1 threads and 16 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   334.16us    0.91ms  35.61ms   98.04%
    Req/Sec    57.91k     8.77k   68.05k    80.00%
  Latency Distribution
     50%  231.00us
     75%  310.00us
     90%  424.00us
     99%    1.98ms
  172945 requests in 3.00s, 33.48MB read
Requests/sec:  57550.91
Transfer/sec:     11.14MB
"""
REFUSED = WRK.replace("Requests/sec", "  Non-2xx or 3xx responses: 7\nRequests/sec")
BROKEN = WRK.replace("Requests/sec", "  Socket errors: connect 1, read 2, write 3, timeout 4\nRequests/sec")
FACTS = {"processors": 2, "processor": "a processor", "system": "a system", "micropython": "1.25.0",
         "load_average": (0.5, 0, 0)}  # fmt: skip


def figure(name):
    return next(one for one in table.FIGURES if one.name == name)


def test_a_round_is_read_from_the_report_of_wrk():
    assert load.parse(WRK) == load.Round(172945, 57550.91, 0.231, 0)


@pytest.mark.parametrize("text, count", [(WRK, 0), (REFUSED, 7), (BROKEN, 10)])
def test_refused_and_broken_requests_are_counted(text, count):
    assert load.parse(text).failures == count


@pytest.mark.parametrize("end", [0, 40, 300, len(WRK) - 60])
def test_half_a_report_of_wrk_is_no_round(end):
    with pytest.raises(load.NoLoadError):
        load.parse(WRK[:end])


def test_lower_is_met_at_the_target_and_below():
    assert [table.met(figure("rss"), value) for value in (5.9, 6, 6.1)] == [True, True, False]


def test_higher_is_met_at_the_target_and_above():
    assert [table.met(figure("against_stock"), value) for value in (29.9, 30, 31)] == [False, True, True]


def test_a_figure_without_target_is_neither_met_nor_missed():
    assert table.met(figure("bundle"), 1) is None


def test_only_takes_figures_and_whole_probes():
    assert [one.name for one in table.chosen(["rss"])] == ["rss"]
    assert [one.name for one in table.chosen(["idle"])] == ["rss", "wakeups", "wakeups_live"]
    with pytest.raises(KeyError):
        table.chosen(["speed"])


def test_every_figure_has_a_name_of_its_own():
    names = [one.name for one in table.FIGURES]
    assert len(set(names)) == len(names)


def test_ratios_are_taken_against_the_better_of_both_stocks():
    def told(rate, cpu):
        return {"requests_per_s": rate, "cpu_us": cpu}

    figures = throughput.figures(
        {
            "kept": told(10000, 50),
            "anew": told(8000, 80),
            "overview": told(4000, 90),
            "overview_anew": told(2000, 100),
            "bare": told(40000, 20),
            "stock_kept_alive": told(250, 1000),
            "stock_as_it_ships": told(100, 3000),
        }
    )
    assert (figures["against_stock"], figures["against_bare"]) == (40, 25)
    assert (figures["cpu_against_stock"], figures["cpu_against_bare"]) == (20, 40)
    assert (figures["anew_against_bare"], figures["cpu_anew_against_bare"]) == (20, 25)
    assert (figures["overview_against_bare"], figures["overview_anew_against_bare"]) == (10, 5)


def test_numbers_have_three_figures():
    assert [report.number(value) for value in (41800.4, 123.4, 12.34, 1.234, None)] == [
        "41,800", "123", "12.3", "1.23", "-"]  # fmt: skip


def test_the_table_says_value_target_share_and_verdict():
    row = report.row(figure("against_stock"), 45.0, coloured=False)
    assert row.split() == ["against", "stock", "Microdot", "45.0×", "≥", "30×", "150", "%", "yes"]


def test_a_probe_that_failed_says_so_in_place_of_its_figures():
    text = "\n".join(report.lines([figure("rss")], {}, {"idle": "the link was not up"}, FACTS))
    assert "idle: not measured: the link was not up" in text
    assert "Memory" not in text


def test_the_record_is_written_whole(tmp_path):
    path = str(tmp_path / "bench.json")
    report.write(path, report.record([figure("rss")], {"rss": 5.0}, {}, {}, FACTS))
    with open(path, encoding="utf-8") as file:
        told = json.load(file)
    assert told["figures"]["rss"]["met"] is True
    assert os.listdir(tmp_path) == ["bench.json"]


def test_this_process_has_cpu_time_memory_and_an_age():
    pid = os.getpid()
    assert processes.cpu_s(pid) > 0
    assert processes.memory_kb(pid, "VmRSS") > 1000
    assert processes.started_at(pid) > 0


def test_a_child_descends_from_its_parent_and_not_the_other_way():
    assert power_on.descends(os.getpid(), os.getppid())
    assert not power_on.descends(os.getppid(), os.getpid())


class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        """Nothing: the output belongs to the tests."""


@contextlib.contextmanager
def serving(tmp_path, with_tls):
    """The port of a server that answers every GET."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hello) as server:
        if with_tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*pem_files(tmp_path))
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def pem_files(tmp_path):
    """The bench's own pair, which MicroPython reads as DER, as PEM."""
    paths = []
    for der, label in zip(certificates.make(), ("CERTIFICATE", "EC PRIVATE KEY"), strict=True):
        text = ssl.DER_cert_to_PEM_cert(der).replace("CERTIFICATE", label)
        paths.append(tmp_path / f"{label}.pem")
        paths[-1].write_text(text)
    return paths


def trusting_anybody():
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def test_the_first_answer_by_https_ends_the_wait(tmp_path):
    with serving(tmp_path, with_tls=True) as port:
        page = first_answer.Page(f"https://127.0.0.1:{port}/", trusting_anybody())
        first_answer.wait(page, 10)
        assert page.ask(10) == 200


def test_a_server_whose_certificate_is_not_trusted_is_no_answer(tmp_path):
    with serving(tmp_path, with_tls=True) as port:
        page = first_answer.Page(f"https://127.0.0.1:{port}/", ssl.create_default_context())
        with pytest.raises(ssl.SSLCertVerificationError):
            first_answer.wait(page, 10)


def test_the_first_plain_answer_ends_the_wait(tmp_path):
    with serving(tmp_path, with_tls=False) as port:
        assert first_answer.wait_for_plain_http(port, 10) is None


def test_nobody_there_is_told_after_the_deadline():
    port = processes.free_port()
    page = first_answer.Page(f"https://127.0.0.1:{port}/", trusting_anybody())
    with pytest.raises(TimeoutError, match=str(port)):
        first_answer.wait(page, 0.05)
    with pytest.raises(TimeoutError, match=str(port)):
        first_answer.wait_for_plain_http(port, 0.05)


@pytest.mark.parametrize("last, now, step", [(99, 100, 100), (100, 100, 101), (90, 100, 100), (-1, 100, 100)])
def test_a_code_is_of_the_first_step_that_was_not_used(monkeypatch, last, now, step):
    monkeypatch.setattr(owner, "step_now", lambda: now)
    someone = owner.Owner({"admin_url": "https://127.0.0.1:1", "service_code": ""}, trusting_anybody())
    someone.secret, someone.last_step = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", last
    someone.next_code()
    assert someone.last_step == step
