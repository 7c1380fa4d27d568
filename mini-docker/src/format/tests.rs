//! Templates, compared with what Docker's own command line makes of them.

use std::process::Command;

use serde_json::json;

use super::*;

/// The columns of `docker context ls`, the one list that Docker shows without asking its daemon.
const COLUMNS: [Column; 4] = [
    Column { field: "Name", heading: "NAME" },
    Column { field: "Description", heading: "DESCRIPTION" },
    Column { field: "DockerEndpoint", heading: "DOCKER ENDPOINT" },
    Column { field: "Error", heading: "ERROR" },
];

const TABLE: &str = "{{.Name}}{{if .Current}} *{{end}}\t{{.Description}}\t{{.DockerEndpoint}}\t{{.Error}}";

const TEMPLATES: [&str; 72] = [
    "{{.Name}}",
    " {{.Name}} ",
    "{{.Name}}\\t{{.Error}}\\n{{.Current}}",
    "{{json .Name}}{{json .Current}}{{.Name | json}}",
    "{{upper .Name}} {{lower \"ABC\"}} {{title \"ab cd_ef-gh\"}}",
    "{{pad .Name 2 3}}|{{pad \"\" 2 3}}",
    "{{pad .Name -1 0}}",
    "{{truncate .Name 3}}|{{truncate .Name 99}}|{{truncate .Name 0}}",
    "{{split .DockerEndpoint \"/\"}} {{len (split \"a,b,c\" \",\")}}",
    "{{join (split \"a,b,c\" \",\") \"-\"}}",
    "{{split \"abc\" \"\"}}",
    "{{println .Name}}x",
    "{{print .Name 1 2 \"a\" \"b\" 3}}",
    "{{printf \"%5s|%-5s|%q|%v|%d|%05d|%x|%t|%%\" \"a\" \"b\" \"c\" .Name 3 42 255 true}}",
    "{{printf \"%.2f %e %g\" 1.5 1.5 1.5}}",
    "{{len .Name}} {{len \"\"}}",
    "{{index (split \"a,b\" \",\") 1}}",
    "{{index .Name 0}}",
    "{{slice (split \"a,b,c\" \",\") 1 2}} {{slice \"abcdef\" 1 3}}",
    "{{range $i, $part := split \"a,b\" \",\"}}{{$i}}={{$part}};{{end}}",
    "{{range split \"a,b\" \",\"}}<{{.}}>{{else}}none{{end}}",
    "{{range split \"a,b,c\" \",\"}}{{if eq . \"b\"}}{{continue}}{{end}}{{.}}{{end}}",
    "{{range split \"a,b,c\" \",\"}}{{if eq . \"b\"}}{{break}}{{end}}{{.}}{{end}}",
    "{{range 3}}{{.}}{{end}}",
    "{{if .Current}}yes{{else}}no{{end}}",
    "{{if eq .Name \"x\"}}x{{else if eq .Name \"default\"}}d{{else}}no{{end}}",
    "{{with .Error}}{{.}}{{else}}none{{end}}",
    "{{with .Name}}{{.}} {{$.Current}}{{end}}",
    "{{$x := .Name}}{{$x}}{{$x = \"b\"}}{{$x}}",
    "{{$x := .}}{{$x.Name}}",
    "{{/* a comment */}}{{.Name}}",
    "a  {{- .Name -}}  b",
    "{{and .Name .Error}}|{{or .Error \"q\"}}|{{not .Error}}|{{and 1 0 2}}",
    "{{ne 1 2}}{{lt 1 2}}{{le 2 2}}{{gt 1 2}}{{ge 1 2}}{{eq 1 2 1}}{{lt \"a\" \"b\"}}",
    "{{html \"<a&'\\\">\"}} {{js \"it's <b>\"}} {{urlquery \"a b&c/d\"}}",
    "{{(split .Name \"f\") | len}}",
    "{{define \"x\"}}<{{.}}>{{end}}{{template \"x\" .Name}}",
    "{{block \"y\" .Name}}[{{.}}]{{end}}",
    "{{`raw \\n`}} {{'a'}} {{0x10}} {{1.5}} {{true}}",
    "{{.Name | upper | printf \"%s-%s\" \"a\"}}",
    "{{not true | not}}",
    "table",
    "table {{.Name}}\\t{{upper .Error}}|{{json .Description}}\\t{{len .Name}}",
    "table {{.Name}}{{.DockerEndpoint}} and\\tx",
    "table {{pad .Name 1 2}}|{{truncate .Name 2}}|{{split .Name \"x\"}}",
    "table{{.Name}}",
    "json",
    "",
    "{{",
    "{{.Name",
    "{{end}}",
    "{{if}}",
    "{{if .Name}}",
    "{{else}}x",
    "{{if .Name}}a{{end}} {{end}} b",
    "{{define \"x\"}}",
    "{{}}",
    "{{range $x := split \"a\" \"\"}}{{end}}{{$x}}",
    "{{nofunc .}}",
    "a\\nb {{.Name | nope}}",
    "{{$y}}",
    "{{.Nmaes}}",
    "a\\nbc {{.Nmaes}}",
    "{{if .Name}}{{.Name.X}}{{end}}",
    "{{if false}}{{.X}}{{else}}{{.Y}}{{end}}",
    "{{index .Name 99}}",
    "x {{index (split \"a\" \",\") 5 -}} y",
    "{{.Name | printf \"%s\" | index \"a\" }}",
    "{{slice .Name 3 99}}",
    "{{lt .Name 1}}",
    "{{len 3}}",
    "{{range .Name}}{{end}}",
];

fn row() -> Value {
    json!({"Name": "default", "Current": true, "DockerEndpoint": "unix:///var/run/docker.sock", "Error": "",
        "Description": "Current DOCKER_HOST based configuration"})
}

fn ours(template: &str) -> Result<String, String> {
    list(&[row()], Some(template), &COLUMNS, TABLE).map_err(|error| format!("{error:#}"))
}

#[test]
fn every_function_and_every_fault_has_its_text() {
    let shown = TEMPLATES.map(|template| match ours(template) {
        Ok(text) => format!("{template}\n  {}", text.replace('\n', "\n  ").trim_end()),
        Err(error) => format!("{template}\n! {error}"),
    });
    insta::assert_snapshot!(shown.join("\n"));
}

/// The same words where only their place or the name of a type is another.
fn plain(error: &str) -> String {
    let (_, error) = error.trim_end().split_once(": template: :").unwrap_or(("", error));
    let error = error.replace("*formatter.clientContextContext", "row");
    match error.split_once(" executing ") {
        Some(_) => error,
        // Go tells the line alone when it cannot read a template.
        None => {
            let (place, message) = error.split_once(": ").unwrap_or(("", &error));
            format!("{}: {message}", place.split(':').next().unwrap_or_default())
        }
    }
}

#[test]
fn docker_makes_the_same_of_every_template() {
    let configuration = tempfile::tempdir().unwrap();
    let docker = |template: &str| {
        let mut docker = Command::new("docker");
        docker.args(["context", "ls", "--format", template]).env_remove("DOCKER_HOST");
        docker.env("DOCKER_CONFIG", configuration.path()).output()
    };
    if !docker("{{.Name}}").is_ok_and(|output| output.status.success()) {
        #[allow(clippy::print_stderr, reason = "a test says what it skips")]
        {
            eprintln!("skipped: needs Docker's command line");
        }
        return;
    }
    let mut differences = Vec::new();
    for template in TEMPLATES {
        let output = docker(template).unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let theirs = if output.status.success() {
            Ok(text(&output.stdout))
        } else {
            Err(plain(&text(&output.stderr)))
        };
        let own = ours(template).map_err(|error| plain(&error));
        if own != theirs {
            differences.push(format!("{template}\n  docker: {theirs:?}\n  ours:   {own:?}"));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// What `docker inspect` of Docker 28 printed for a container with these fields.
#[test]
fn an_object_is_seen_as_go_sees_its_structure() {
    let object = json!({
        "Name": "/web",
        "State": {"Status": "created", "Running": false, "Dead": false},
        "Config": {"Cmd": ["sleep", "1000"], "Entrypoint": null, "Volumes": null,
            "Labels": {"a.b": "c", "colour": "red", "x": "y z"}},
        "HostConfig": {"Binds": null, "Memory": 67_108_864, "CapAdd": null, "PidsLimit": null},
        "Mounts": [],
        "NetworkSettings": {"Ports": {}},
    });
    let shown = |template: &str| {
        objects(std::slice::from_ref(&object), template).unwrap_or_else(|error| format!("{error:#}\n"))
    };
    for (template, expected) in [
        (
            "{{.Config.Labels.x}} {{index .Config.Labels \"a.b\"}} {{.Config.Labels.nope}} {{index .Config.Labels \"nope\"}}|",
            "y z c <no value> |\n",
        ),
        (
            "{{.HostConfig.Binds}} {{.HostConfig.Memory}} {{.Config.Volumes}} {{.Mounts}} {{.NetworkSettings.Ports}}",
            "[] 67108864 map[] [] map[]\n",
        ),
        (
            "{{json .HostConfig.Binds}}{{json .HostConfig.Memory}}{{json .Config.Labels}}",
            "null67108864{\"a.b\":\"c\",\"colour\":\"red\",\"x\":\"y z\"}\n",
        ),
        ("{{json .State}}", "{\"Status\":\"created\",\"Running\":false,\"Dead\":false}\n"),
        ("{{range $k,$v := .Config.Labels}}{{$k}}={{$v}} {{end}}", "a.b=c colour=red x=y z \n"),
        ("{{.HostConfig.Memory | printf \"%d\"}} {{eq .HostConfig.Memory 67108864}}", "67108864 true\n"),
        ("{{join .Config.Cmd \",\"}}|{{join .Config.Entrypoint \",\"}}", "sleep,1000|\n"),
        ("{{if .State.Health}}{{.State.Health.Status}}{{else}}none{{end}}", "none\n"),
        ("{{.HostConfig.PidsLimit}} {{.State.Health}} {{.SizeRw}}", "<nil> <nil> <nil>\n"),
        ("table {{.Name}}", "table /web\n"),
        ("x\\ty", "x\\ty\n"),
        (
            "{{.Nmaes}}",
            "template parsing error: template: :1:2: executing \"\" at <.Nmaes>: map has no entry for key \"Nmaes\"\n",
        ),
        (
            "a\nb {{.Config.Nmaes}}",
            "template parsing error: template: :2:11: executing \"\" at <.Config.Nmaes>: map has no entry for key \"Nmaes\"\n",
        ),
        (
            "{{.State.Health.Status}}",
            "template parsing error: template: :1:8: executing \"\" at <.State.Health.Status>: map has no entry for key \"Health\"\n",
        ),
        (
            "{{index .Config.Cmd 9}}",
            "template parsing error: template: :1:2: executing \"\" at <index .Config.Cmd 9>: error calling index: index out of range: 9\n",
        ),
        (
            "{{len .State.Dead.X}}",
            "template parsing error: template: :1:12: executing \"\" at <.State.Dead.X>: can't evaluate field X in type bool\n",
        ),
    ] {
        assert_eq!(shown(template), expected, "{template}");
    }
    assert!(shown("json").starts_with("[{\"Name\":\"/web\","));
}
