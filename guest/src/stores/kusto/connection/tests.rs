use super::*;

const URI: &str = "https://name.westeurope.kusto.windows.net";

fn code(text: &str) -> String {
    parse(text).unwrap_err().fault().code.clone()
}

#[test]
fn an_application_s_secret_is_read() {
    let text = format!(
        "Data Source={URI};Initial Catalog=langgraph;AAD Federated Security=True;\
         Application Client Id=an-id;Application Key=a-key;Authority Id=a-tenant"
    );
    let credentials = ClientSecret {
        tenant: "a-tenant".to_owned(),
        client_id: "an-id".to_owned(),
        secret: "a-key".to_owned(),
    };
    let expected = Connection {
        cluster_uri: URI.to_owned(),
        database: Some("langgraph".to_owned()),
        login: Login::ClientSecret(credentials),
    };
    assert_eq!(parse(&text), Ok(expected.clone()));
    let aliases =
        format!("{URI}/langgraph; FED = true; AppClientId=an-id;appkey=a-key;tid=a-tenant;");
    assert_eq!(parse(&aliases), Ok(expected));
}

#[test]
fn tokens_and_the_absence_of_any_login_are_read() {
    for key in ["Application Token", "apptoken", "User Token", "UsrToken"] {
        let connection = parse(&format!("server={URI};{key}=abc.def=")).unwrap();
        assert_eq!(connection.login, Login::Token("abc.def=".to_owned()));
    }
    let connection = parse("http://localhost:8080").unwrap();
    let expected = Connection {
        cluster_uri: "http://localhost:8080".to_owned(),
        database: None,
        login: Login::Unspecified,
    };
    assert_eq!(connection, expected);
}

#[test]
fn quotes_keep_what_separates_and_a_doubled_one_means_itself() {
    let text = format!(
        "{URI};database='a ''b'' c';AppClientId=\"i\" ;AppKey=\"x;y='\"\"z\"\"'\";Tenant=t"
    );
    let connection = parse(&text).unwrap();
    assert_eq!(connection.database.as_deref(), Some("a 'b' c"));
    let Login::ClientSecret(credentials) = connection.login else { panic!("no secret") };
    assert_eq!(credentials.secret, "x;y='\"z\"'");
}

#[test]
fn what_contradicts_itself_or_is_not_understood_is_refused() {
    for text in [
        "",
        " ; ;",
        "database=d",
        "Data Source=",
        "Data Source=https://a.b;Server=https://c.d",
        "https://a.b/one;database=two",
        "https://a.b;who=knows",
        "https://a.b;no key",
        "https://a.b;AppKey=\"open",
        "https://a.b;AppKey=\"closed\"open",
        "https://a.b;AppClientId=i;AppKey=k",
        "https://a.b;AppKey=k;tid=t",
        "https://a.b;AppToken=x;AppClientId=i;AppKey=k;tid=t",
    ] {
        assert_eq!(code(text), "invalid-connection-string", "{text}");
    }
    for text in [
        "https://a.b;User ID=me;Password=secret",
        "https://a.b;pwd=secret",
        "https://a.b;Application Certificate Thumbprint=00;AppClientId=i;tid=t",
    ] {
        assert_eq!(code(text), "unsupported-login", "{text}");
    }
}

#[test]
fn no_error_and_no_debug_output_shows_a_secret() {
    let secret = "hunter2";
    for text in [
        format!("{URI};AppClientId=i;tid=t;AppKey=x;{secret}"),
        format!("{URI};AppClientId=i;tid=t;AppKey=x;{secret}=1"),
        format!("{URI};AppClientId=i;tid=t;AppKey=\"{secret}"),
        format!("{URI};AppKey={secret}"),
        format!("{URI};AppToken={secret};AppKey={secret}"),
        format!("{URI};Password={secret}"),
        format!("https://user:{secret}@a.kusto.windows.net;Fed=true"),
        format!("ftp://{secret}.example;Fed=true"),
    ] {
        let error = parse(&text).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(secret), "{error}");
    }
    for login in [format!("AppToken={secret}"), format!("AppClientId=i;tid=t;AppKey={secret}")] {
        let connection = parse(&format!("{URI};{login}")).unwrap();
        assert!(!format!("{connection:?}").contains(secret), "{connection:?}");
    }
}

#[test]
fn an_endpoint_is_taken_apart() {
    let parsed = |uri: &str| {
        let endpoint = Endpoint::parse(uri).unwrap();
        (endpoint.origin, endpoint.host, endpoint.secure, endpoint.database)
    };
    let of = |origin: &str, host: &str, secure, database: Option<&str>| {
        (origin.to_owned(), host.to_owned(), secure, database.map(str::to_owned))
    };
    assert_eq!(parsed("HTTPS://A.b/"), of("https://a.b", "a.b", true, None));
    assert_eq!(parsed("a.b:444/My Db"), of("https://a.b:444", "a.b", true, Some("My Db")));
    assert_eq!(parsed("http://[::1]:80"), of("http://[::1]:80", "[::1]", false, None));
}

#[test]
fn a_uri_that_two_readers_may_read_differently_is_refused() {
    for uri in [
        "https://",
        "https:///path",
        "https://a.kusto.windows.net@evil.example",
        "https://evil.example\\.kusto.windows.net",
        "https://evil.example#.kusto.windows.net",
        "https://evil.example?.kusto.windows.net",
        "https://evil.example%2f.kusto.windows.net",
        "https://evil.example .kusto.windows.net",
        "https://evil.example\t.kusto.windows.net",
        "https://\u{ff45}vil.kusto.windows.net",
        "https://a.kusto.windows.net.",
        "https://a.b:",
        "https://a.b:+80",
        "https://a.b:65536",
        "https://[::1",
        "https://[nine]",
        "https://a.b/x/y",
        "https://a.b/x?y",
        "https://a.b/%2e",
        "https://ingest-a.kusto.windows.net",
        "file://a.b",
    ] {
        let refused = Endpoint::parse(uri).unwrap_err();
        assert_eq!(refused.code(), "invalid-cluster-uri", "{uri}");
    }
}

#[test]
fn the_service_this_machine_and_named_hosts_are_trusted_and_no_other() {
    let extra = ["Kusto.example".to_owned()];
    for host in [
        "a.westeurope.kusto.windows.net",
        "A.KUSTO.WINDOWS.NET",
        "a.z0.kusto.fabric.microsoft.com",
        "a.kusto.usgovcloudapi.net",
        "a.kusto.sovcloud-api.de",
        "a.kusto.sovcloud-api.sg",
        "localhost",
        "127.0.0.1",
        "127.8.0.1",
        "[::1]",
        "kusto.example",
    ] {
        assert!(is_trusted(host, &extra), "{host}");
    }
    for host in [
        "",
        "kusto.windows.net",
        ".kusto.windows.net",
        "akusto.windows.net",
        "a.kusto.windows.net.evil.example",
        "a.windows.net",
        "localhost.evil.example",
        "128.0.0.1",
        "0.0.0.0",
        "::1",
        "[::2]",
        "a.kusto.example",
        "example",
    ] {
        assert!(!is_trusted(host, &extra), "{host}");
    }
}

#[test]
fn a_token_goes_over_plain_http_to_this_machine_alone() {
    let extra = ["kusto.example".to_owned()];
    let may = |uri: &str| Endpoint::parse(uri).unwrap().may_have_token(&extra);
    assert!(may("https://a.kusto.windows.net") && may("https://kusto.example"));
    assert!(may("http://localhost:8080") && may("http://127.0.0.1") && may("http://[::1]"));
    assert!(!may("http://a.kusto.windows.net") && !may("http://kusto.example"));
    assert!(!may("https://other.example"));
}

#[test]
fn an_eventhouse_of_fabric_is_told_from_a_cluster() {
    let is_fabric = |uri: &str| Endpoint::parse(uri).unwrap().is_fabric();
    assert!(is_fabric("https://trd-a.z0.kusto.fabric.microsoft.com"));
    assert!(is_fabric("https://trd-a.z0.kusto.data.microsoft.com/db"));
    assert!(!is_fabric("https://a.westeurope.kusto.windows.net"));
    assert!(!is_fabric("https://kusto.fabric.microsoft.com.example"));
}
