"""Real packages, and for each a small real job that a copy of it must do: the table of `test_real_packages.py`.

A job gets `load`, which gives the modules of one copy by dotted name, and returns what it found out; the row says what
that must be. Nothing here imports the package itself: only its copies work.
"""

# A copy is Any to the type checker: so are the decorators, base classes and operators that the jobs take from it.
# mypy: disable-error-code="untyped-decorator, call-arg, operator"

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

__all__ = ["PACKAGES", "Load", "Package"]

Load = Callable[[str], ModuleType]


@dataclass(frozen=True, slots=True)
class Package:
    """One package to load twice.

    Attributes:
        name: dotted name to load.
        classes: classes that each copy must have of its own, as `module:name`.
        job: the work that each copy does.
        result: what the job returns.
        warnings: messages (regular expressions) of the package's own warnings, let through.
        needs: other packages to import beforehand where they are installed; with the reason beside the row.
    """

    name: str
    classes: tuple[str, ...]
    job: Callable[[Load], Any]
    result: Any
    warnings: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()


def job_anyio(load: Load) -> Any:
    anyio = load("anyio")

    async def main() -> list[int]:
        found: list[int] = []
        async with anyio.create_task_group() as group:
            for number in range(3):
                group.start_soon(lambda number=number: _append(found, number))
        return sorted(found)

    async def _append(found: list[int], number: int) -> None:
        await anyio.sleep(0)
        found.append(number)

    return anyio.run(main)


def job_attr(load: Load) -> Any:
    attr = load("attr")

    @attr.s(auto_attribs=True, order=True)
    class Point:
        x: int
        y: int = attr.ib(default=2, validator=attr.validators.instance_of(int))

    return [attr.asdict(Point(1)), Point(1) < Point(2), attr.evolve(Point(1), y=5).y]


def job_bs4(load: Load) -> Any:
    soup = load("bs4").BeautifulSoup("<p class='a'>one<b>two</b></p>", "html.parser")
    return [soup.p["class"], soup.find("b").text]


def job_cattrs(load: Load) -> Any:
    import attr

    cattrs = load("cattrs")
    point = attr.make_class("Point", {"x": attr.ib(type=int), "tags": attr.ib(type=list[str])})
    return cattrs.unstructure(cattrs.structure({"x": "7", "tags": ["a"]}, point))


def job_click(load: Load) -> Any:
    click, testing = load("click"), load("click.testing")

    @click.command()
    @click.option("--count", type=int, default=1)
    @click.argument("name")
    def hello(count: int, name: str) -> None:
        click.echo(f"hello {name} " * count)

    done = testing.CliRunner().invoke(hello, ["you", "--count", "2"])
    return [done.exit_code, done.output.split()]


def job_colorama(load: Load) -> Any:
    stream = io.StringIO()
    wrapped = load("colorama.ansitowin32").AnsiToWin32(stream, convert=False, strip=True)
    wrapped.write(load("colorama").Fore.RED + "red")
    return stream.getvalue()


def job_dask(load: Load) -> Any:
    dask = load("dask")
    add = dask.delayed(lambda x, y: x + y)
    total = add(add(1, 2), add(3, 4))
    # compute() names the graph by pickling dask's own classes, and pickle finds classes in sys.modules only.
    return load("dask.local").get_sync(dict(total.dask), total.key)


def job_distributed(load: Load) -> Any:
    protocol = load("distributed.protocol")
    frames = protocol.dumps({"op": "add", "key": [1, 2]})
    versions = load("distributed.core").Status
    return [protocol.loads(frames), versions.running.name]


def job_django(load: Load) -> Any:
    settings = load("django.conf").settings
    if not settings.configured:
        # Python's logging would resolve the handlers of Django's default configuration by name, outside of the copy.
        engine = {"BACKEND": "django.template.backends.django.DjangoTemplates"}
        settings.configure(TEMPLATES=[engine], LOGGING_CONFIG=None)
        load("django").setup()
    template = load("django.template")
    text = template.engines["django"].from_string("{% for x in xs %}{{ x|upper }},{% endfor %}").render({"xs": "ab"})
    field = load("django.forms").IntegerField(min_value=3)
    return [text, field.clean("4")]


def job_docutils(load: Load) -> Any:
    html = load("docutils.core").publish_parts("Title\n=====\n\n*word*", writer="html5")["html_body"]
    return [line[3:-4] for line in html.splitlines() if "word" in line]


def job_fastapi(load: Load) -> Any:
    import httpx

    app = load("fastapi").FastAPI()

    @app.get("/items/{item}")
    def read(item: int, q: str = "none") -> dict[str, Any]:
        return {"item": item, "q": q}

    async def main() -> list[Any]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            good, bad = await client.get("/items/3?q=x"), await client.get("/items/three")
            return [good.json(), bad.status_code]

    return asyncio.run(main())


def job_flask(load: Load) -> Any:
    flask = load("flask")
    app = flask.Flask("shop", root_path="/nowhere")

    @app.route("/hello/<name>")
    def hello(name: str) -> str:
        return flask.render_template_string("hello {{ name }} {{ request.args.q }}", name=name)

    return app.test_client().get("/hello/you?q=1").text


def job_h11(load: Load) -> Any:
    h11 = load("h11")
    server = h11.Connection(h11.SERVER)
    server.receive_data(b"GET /a HTTP/1.1\r\nHost: b\r\n\r\n")
    request = server.next_event()
    return [request.target, isinstance(request, h11.Request), isinstance(server.next_event(), h11.EndOfMessage)]


def job_httpx(load: Load) -> Any:
    httpx = load("httpx")
    transport = httpx.MockTransport(lambda request: httpx.Response(200, json={"path": request.url.path}))
    with httpx.Client(transport=transport, base_url="http://test") as client:
        return client.get("/a").json()


def job_idna(load: Load) -> Any:
    return load("idna").encode("münchen.de")


def job_ipython(load: Load) -> Any:
    manager = load("IPython.core.inputtransformer2").TransformerManager()
    return [manager.transform_cell("%time x = 1\n!ls"), manager.check_complete("for a in b:")[0]]


def job_itsdangerous(load: Load) -> Any:
    signer = load("itsdangerous").URLSafeSerializer("secret")
    return signer.loads(signer.dumps({"a": [1]}))


def job_jedi(load: Load) -> Any:
    # The default environment is a subprocess, which unpickles functions of the regular jedi.
    inside = load("jedi.api.environment").InterpreterEnvironment()
    script = load("jedi").Script("class Point:\n    def norm(self): pass\nPoint().no", environment=inside)
    return [completion.name for completion in script.complete()]


def job_jinja2(load: Load) -> Any:
    jinja2 = load("jinja2")
    environment = jinja2.Environment(
        autoescape=True, loader=jinja2.DictLoader({"base": "[{% block b %}{% endblock %}]"})
    )
    return environment.from_string("{% extends 'base' %}{% block b %}{{ x }}{% endblock %}").render(x="<a>")


def job_jsonschema(load: Load) -> Any:
    jsonschema = load("jsonschema")
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    jsonschema.validate({"a": 1}, schema)
    try:
        jsonschema.validate({"a": "x"}, schema)
    except jsonschema.ValidationError as error:
        return [error.message, list(error.path)]
    return None


def job_lark(load: Load) -> Any:
    lark = load("lark")
    # Its library of terminals is not imported: pkgutil.get_data would import the regular lark to find it.
    parser = lark.Lark('start: NUMBER ("+" NUMBER)*\nNUMBER: /[0-9]+/\n%ignore " "', parser="lalr")

    class Sum(lark.Transformer):  # type: ignore[misc, name-defined] # a base that mypy does not see
        def start(self, children: list[Any]) -> int:
            return sum(map(int, children))

    return Sum().transform(parser.parse("1 + 2 + 39"))


def job_libcst(load: Load) -> Any:
    # The parser proper is a Rust extension, which makes nodes of the shared libcst by design; the tree, its visitors
    # and the code generator are Python.
    cst = load("libcst")
    tree = cst.Module([cst.SimpleStatementLine([cst.Assign([cst.AssignTarget(cst.Name("old"))], cst.Integer("1"))])])

    class Rename(cst.CSTTransformer):  # type: ignore[misc, name-defined] # a base that mypy does not see
        def leave_Name(self, node: Any, updated: Any) -> Any:  # noqa: N802, ARG002 - libcst's protocol
            return updated.with_changes(value="new")

    return tree.visit(Rename()).code


def job_mako(load: Load) -> Any:
    return load("mako.template").Template("% for x in xs:\n${x},\\\n% endfor\n").render(xs=[1, 2]).strip()


def job_markdown(load: Load) -> Any:
    # By name, the extension would come from an entry point, which is the regular module's.
    tables = load("markdown.extensions.tables").TableExtension()
    return load("markdown").markdown("# a\n\n| x |\n|---|\n| 1 |", extensions=[tables]).count("<td>1</td>")


def job_marshmallow(load: Load) -> Any:
    ma = load("marshmallow")
    schema = ma.Schema.from_dict({"name": ma.fields.Str(required=True), "age": ma.fields.Int()})()
    try:
        schema.load({"age": "x"})
    except ma.ValidationError as error:
        return [schema.load({"name": "a", "age": "3"}), sorted(error.messages)]
    return None


def job_mistune(load: Load) -> Any:
    return load("mistune").html("*a* <b>").strip()


def job_more_itertools(load: Load) -> Any:
    more = load("more_itertools")
    return [list(more.chunked(range(5), 2)), more.peekable([7]).peek()]


def job_mpmath(load: Load) -> Any:
    mp = load("mpmath").mp.clone()
    mp.dps = 30
    return [mp.nstr(mp.zeta(2) * 6 - mp.pi**2, 5), mp.nstr(mp.sqrt(2), 25)]


def job_networkx(load: Load) -> Any:
    nx = load("networkx")
    graph = nx.Graph([(1, 2), (2, 3), (1, 4), (4, 5), (5, 3)])
    return [nx.shortest_path(graph, 1, 3), nx.number_connected_components(graph)]


def job_packaging(load: Load) -> Any:
    specifier = load("packaging.specifiers").SpecifierSet(">=1.2,<2")
    version = load("packaging.version").Version
    return [version("1.10") > version("1.9"), "1.5" in specifier, "2.0" in specifier]


def job_parso(load: Load) -> Any:
    tree = load("parso").parse("def f(a): return a\n")
    return [tree.children[0].name.value, tree.get_code()]


def job_pluggy(load: Load) -> Any:
    pluggy = load("pluggy")
    spec, impl = pluggy.HookspecMarker("shop"), pluggy.HookimplMarker("shop")

    class Spec:
        @spec
        def price(self, item: str) -> int: ...  # type: ignore[empty-body] # a specification

    class Plugin:
        @impl
        def price(self, item: str) -> int:
            return len(item)

    manager = pluggy.PluginManager("shop")
    manager.add_hookspecs(Spec)
    manager.register(Plugin())
    return manager.hook.price(item="abc")


def job_prettytable(load: Load) -> Any:
    table = load("prettytable").PrettyTable(["a", "b"])
    table.add_row([1, "x"])
    return table.get_csv_string().split()


def job_prompt_toolkit(load: Load) -> Any:
    words = load("prompt_toolkit.completion").WordCompleter(["twist", "other"])
    document = load("prompt_toolkit.document").Document("say tw")
    return [completion.text for completion in words.get_completions(document, None)]


def job_pydantic(load: Load) -> Any:
    pydantic = load("pydantic")

    class Item(pydantic.BaseModel):  # type: ignore[misc, name-defined] # a base that mypy does not see
        name: str
        price: float = 1.0

    try:
        Item(name=[])
    except pydantic.ValidationError as error:
        # For the links of errors, the Rust core would import the regular pydantic.version by name.
        return [Item(name="a", price="2.5").model_dump(), error.errors(include_url=False)[0]["type"]]
    return None


def job_pygments(load: Load) -> Any:
    lexer = load("pygments.lexers").get_lexer_by_name("python")
    return load("pygments").highlight("x = 1", lexer, load("pygments.formatters").NullFormatter()).strip()


def job_pyparsing(load: Load) -> Any:
    pp = load("pyparsing")
    number = pp.Word(pp.nums).set_parse_action(lambda tokens: int(tokens[0]))
    return pp.DelimitedList(number).parse_string("1, 2,3").as_list()


def job_requests(load: Load) -> Any:
    requests = load("requests")
    session = requests.Session()
    prepared = session.prepare_request(requests.Request("GET", "http://test/a", params={"q": "ä"}, auth=("u", "p")))
    session.close()
    return [prepared.url, prepared.headers["Authorization"]]


def job_rich(load: Load) -> Any:
    console = load("rich.console").Console(file=io.StringIO(), width=30)
    table = load("rich.table").Table("name")
    table.add_row("[bold]alpha[/]")
    console.print(table)
    return [word for word in console.file.getvalue().split() if word.isalpha()]


def job_simpy(load: Load) -> Any:
    environment = load("simpy").Environment()
    seen = []

    def clock() -> Any:
        for _ in range(3):
            seen.append(environment.now)
            yield environment.timeout(2)

    environment.process(clock())
    environment.run()
    return seen


def job_sortedcontainers(load: Load) -> Any:
    ordered = load("sortedcontainers").SortedDict({"b": 2, "a": 1})
    return [list(ordered), ordered.bisect("b")]


def job_sqlalchemy(load: Load) -> Any:
    sa, orm = load("sqlalchemy"), load("sqlalchemy.orm")
    base = orm.declarative_base()

    class User(base):  # type: ignore[misc, valid-type] # a base made at run time
        __tablename__ = "user"
        id = sa.Column(sa.Integer, primary_key=True)
        name = sa.Column(sa.String)

    engine = sa.create_engine("sqlite://")
    base.metadata.create_all(engine)
    with orm.Session(engine) as session:
        session.add_all([User(name="b"), User(name="a")])
        session.commit()
        names = session.scalars(sa.select(User.name).order_by(User.name)).all()
    engine.dispose()
    return names


def job_sqlglot(load: Load) -> Any:
    return load("sqlglot").transpile("SELECT IFNULL(a, 1) FROM t LIMIT 3", read="mysql", write="tsql")


def job_starlette(load: Load) -> Any:
    import httpx

    responses, routing = load("starlette.responses"), load("starlette.routing")

    async def hello(request: Any) -> Any:
        return responses.JSONResponse({"hello": request.path_params["name"]})

    app = load("starlette.applications").Starlette(routes=[routing.Route("/{name}", hello)])

    async def main() -> Any:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            return (await client.get("/you")).json()

    return asyncio.run(main())


def job_structlog(load: Load) -> Any:
    structlog = load("structlog")
    lines: list[str] = []

    class Lines:
        def info(self, text: str) -> None:
            lines.append(text)

    log = structlog.wrap_logger(Lines(), processors=[structlog.processors.JSONRenderer(sort_keys=True)])
    log.bind(user=1).info("hello", b=2)
    return lines


def job_sympy(load: Load) -> Any:
    sympy = load("sympy")
    x = sympy.Symbol("x")
    return [sympy.solve(x**2 - 4, x), str(sympy.diff(sympy.sin(x) ** 2, x))]


def job_tabulate(load: Load) -> Any:
    return load("tabulate").tabulate([[1, "a"]], headers=["n", "s"], tablefmt="plain")


def job_tomlkit(load: Load) -> Any:
    document = load("tomlkit").parse("# keep\na = 1\n")
    document["b"] = [1]
    return document.as_string()


def job_toolz(load: Load) -> Any:
    toolz = load("toolz")
    return [
        toolz.groupby(len, ["a", "bb", "c"]),
        load("toolz.curried").pipe([1, 2], load("toolz.curried").map(str), list),
    ]


def job_tornado(load: Load) -> Any:
    template = load("tornado.template").Template("{% for x in xs %}{{ x }};{% end %}")
    rule = load("tornado.web").URLSpec(r"/(\d+)", load("tornado.web").RequestHandler, name="number")
    return [template.generate(xs=[1, "<"]), rule.reverse(5)]


def job_tqdm(load: Load) -> Any:
    stream = io.StringIO()
    total = sum(load("tqdm").tqdm(range(4), file=stream))
    return [total, "4/4" in stream.getvalue()]


def job_traitlets(load: Load) -> Any:
    traitlets = load("traitlets")

    class Shop(traitlets.HasTraits):  # type: ignore[misc, name-defined] # a base that mypy does not see
        size = traitlets.Int(1)

    seen: list[Any] = []
    shop = Shop()
    shop.observe(lambda change: seen.append(change.new), "size")
    shop.size = 5
    try:
        shop.size = "big"
    except traitlets.TraitError:
        seen.append("refused")
    return seen


def job_trio(load: Load) -> Any:
    trio = load("trio")

    async def main() -> list[int]:
        send, receive = trio.open_memory_channel(0)

        async def produce() -> None:
            async with send:
                for number in range(3):
                    await send.send(number)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(produce)
            return [number async for number in receive]

    return trio.run(main)


def job_twisted(load: Load) -> Any:
    defer = load("twisted.internet.defer")
    seen: list[Any] = []
    deferred = defer.Deferred()
    deferred.addCallback(lambda value: 1 / value).addErrback(lambda failure: failure.trap(ZeroDivisionError))
    deferred.addBoth(seen.append)
    deferred.callback(0)
    return seen


def job_typer(load: Load) -> Any:
    app = load("typer").Typer()

    @app.command()
    def add(a: int, b: int = 2) -> None:
        print(a + b)

    done = load("typer.testing").CliRunner().invoke(app, ["1", "--b", "5"])
    return [done.exit_code, done.output]


def job_werkzeug(load: Load) -> Any:
    routing = load("werkzeug.routing")
    rules = routing.Map([routing.Rule("/a/<int:number>", endpoint="a")]).bind("test")
    return [rules.match("/a/7"), load("werkzeug.datastructures").MultiDict([("a", 1), ("a", 2)]).getlist("a")]


def job_yaml(load: Load) -> Any:
    # The pure loader: the C one makes nodes of the shared yaml by design, which the copy does not know.
    yaml = load("yaml")
    return [yaml.safe_load("a: [1, 2]\nb: {c: yes}"), yaml.safe_dump({"x": [1]}).strip()]


def job_ply(load: Load) -> Any:
    rules = {"tokens": ("NUMBER",), "t_NUMBER": r"\d+", "t_ignore": " ", "t_error": lambda token: token.lexer.skip(1)}
    lexer = load("ply.lex").lex(object=type("Rules", (), rules), errorlog=load("ply.lex").NullLogger())
    lexer.input("12 34")
    return [token.value for token in lexer]


PACKAGES = (
    Package(
        "IPython",
        ("IPython.core.interactiveshell:InteractiveShell", "IPython.core.magic:Magics"),
        job_ipython,
        ["get_ipython().run_line_magic('time', 'x = 1')\nget_ipython().system('ls')\n", "incomplete"],
    ),
    Package("anyio", ("anyio.abc:TaskGroup", "anyio:WouldBlock"), job_anyio, [0, 1, 2]),
    Package("attr", ("attr:Attribute", "attr:Factory"), job_attr, [{"x": 1, "y": 2}, True, 5]),
    Package(
        "bs4", ("bs4:BeautifulSoup", "bs4.element:Tag"), job_bs4, [["a"], "two"], needs=("soupsieve",)
    ),  # imports bs4 for all to share
    Package("cattrs", ("cattrs:Converter",), job_cattrs, {"x": 7, "tags": ["a"]}),
    Package("click", ("click:Command", "click:ClickException"), job_click, [0, ["hello", "you"] * 2]),
    Package("colorama", ("colorama.ansitowin32:AnsiToWin32",), job_colorama, "red"),
    Package(
        "dask", ("dask.delayed:Delayed",), job_dask, 10, needs=("tlz", "importlib_metadata")
    ),  # each puts a finder of its own on sys.meta_path when it is imported
    Package(
        "distributed",
        ("distributed:Client", "distributed.core:Status"),
        job_distributed,
        [{"op": "add", "key": (1, 2)}, "running"],
        needs=("tlz", "importlib_metadata"),  # as for dask
    ),
    Package("django", ("django.template:Template", "django.db.models:Model"), job_django, ["A,B,", 4]),
    Package("docutils", ("docutils.nodes:Node",), job_docutils, ["<em>word</em>"]),
    Package("fastapi", ("fastapi:FastAPI", "fastapi.routing:APIRoute"), job_fastapi, [{"item": 3, "q": "x"}, 422]),
    Package("flask", ("flask:Flask", "flask:Blueprint"), job_flask, "hello you 1"),
    Package("h11", ("h11:Connection",), job_h11, [b"/a", True, True]),
    Package("httpx", ("httpx:Client", "httpx:HTTPError"), job_httpx, {"path": "/a"}),
    Package("idna", ("idna:IDNAError",), job_idna, b"xn--mnchen-3ya.de"),
    Package("itsdangerous", ("itsdangerous:Signer",), job_itsdangerous, {"a": [1]}),
    Package("jedi", ("jedi:Script",), job_jedi, ["norm"]),
    Package("jinja2", ("jinja2:Environment", "jinja2.nodes:Node"), job_jinja2, "[&lt;a&gt;]"),
    Package(
        "jsonschema",
        ("jsonschema:ValidationError", "jsonschema:Draft202012Validator"),
        job_jsonschema,
        ["'x' is not of type 'integer'", ["a"]],
        needs=("six",),  # where its optional checks of formats are installed; puts a finder of its own on
    ),
    Package("lark", ("lark:Lark", "lark:Tree"), job_lark, 42),
    Package("libcst", ("libcst:Module", "libcst:CSTTransformer"), job_libcst, "new = 1\n"),
    Package("mako", ("mako.template:Template",), job_mako, "1,2,"),
    Package("markdown", ("markdown:Markdown",), job_markdown, 1),
    Package("marshmallow", ("marshmallow:Schema",), job_marshmallow, [{"name": "a", "age": 3}, ["age", "name"]]),
    Package("mistune", ("mistune:Markdown",), job_mistune, "<p><em>a</em> <b></p>"),
    Package("more_itertools", ("more_itertools:peekable",), job_more_itertools, [[[0, 1], [2, 3], [4]], 7]),
    Package("mpmath", ("mpmath.ctx_mp:MPContext",), job_mpmath, ["0.0", "1.414213562373095048801689"]),
    Package("networkx", ("networkx:Graph", "networkx:NetworkXError"), job_networkx, [[1, 2, 3], 1]),
    Package("packaging", ("packaging.version:Version",), job_packaging, [True, True, False]),
    Package("parso", ("parso.tree:Node",), job_parso, ["f", "def f(a): return a\n"]),
    Package("pluggy", ("pluggy:PluginManager",), job_pluggy, [3]),
    Package("ply", ("ply.lex:Lexer",), job_ply, ["12", "34"]),
    Package("prettytable", ("prettytable:PrettyTable",), job_prettytable, ["a,b", "1,x"]),
    Package("prompt_toolkit", ("prompt_toolkit.document:Document",), job_prompt_toolkit, ["twist"]),
    Package(
        "pydantic",
        ("pydantic:BaseModel", "pydantic.fields:FieldInfo"),
        job_pydantic,
        [{"name": "a", "price": 2.5}, "string_type"],
    ),
    Package("pygments", ("pygments.lexer:Lexer",), job_pygments, "x = 1"),
    Package("pyparsing", ("pyparsing:Word",), job_pyparsing, [1, 2, 3]),
    Package(
        "requests",
        ("requests:Session", "requests:RequestException"),
        job_requests,
        ["http://test/a?q=%C3%A4", "Basic dTpw"],
    ),
    Package("rich", ("rich.console:Console", "rich.table:Table"), job_rich, ["name", "alpha"]),
    Package("simpy", ("simpy:Environment",), job_simpy, [0, 2, 4]),
    Package("sortedcontainers", ("sortedcontainers:SortedDict",), job_sortedcontainers, [["a", "b"], 2]),
    Package("sqlalchemy", ("sqlalchemy:Column", "sqlalchemy.orm:Session"), job_sqlalchemy, ["a", "b"]),
    Package("sqlglot", ("sqlglot.expressions:Expression",), job_sqlglot, ["SELECT TOP 3 COALESCE(a, 1) FROM t"]),
    Package("starlette", ("starlette.applications:Starlette",), job_starlette, {"hello": "you"}),
    Package("structlog", ("structlog:BoundLogger",), job_structlog, ['{"b": 2, "event": "hello", "user": 1}']),
    Package("sympy", ("sympy:Symbol", "sympy:Expr"), job_sympy, [[-2, 2], "2*sin(x)*cos(x)"]),
    Package("tabulate", ("tabulate:TableFormat",), job_tabulate, "  n  s\n  1  a"),
    Package("tomlkit", ("tomlkit:TOMLDocument",), job_tomlkit, "# keep\na = 1\nb = [1]\n"),
    Package("toolz", ("toolz:curry",), job_toolz, [{1: ["a", "c"], 2: ["bb"]}, ["1", "2"]]),
    Package("tornado", ("tornado.web:RequestHandler",), job_tornado, [b"1;&lt;;", "/5"]),
    Package("tqdm", ("tqdm:tqdm",), job_tqdm, [6, True]),
    Package("traitlets", ("traitlets:HasTraits",), job_traitlets, [5, "refused"]),
    Package("trio", ("trio:Nursery",), job_trio, [0, 1, 2]),
    Package(
        "twisted",
        ("twisted.internet.defer:Deferred", "twisted.python.failure:Failure"),
        job_twisted,
        [ZeroDivisionError],
    ),
    Package("typer", ("typer:Typer",), job_typer, [0, "6\n"]),
    Package("werkzeug", ("werkzeug.routing:Map",), job_werkzeug, [("a", {"number": 7}), [1, 2]]),
    Package(
        "yaml",
        ("yaml:SafeLoader", "yaml:YAMLError"),
        job_yaml,
        [{"a": [1, 2], "b": {"c": True}}, "x:\n- 1"],
        needs=("yaml",),
    ),  # its shared extension imports the package itself when it starts
)
