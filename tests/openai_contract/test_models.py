from tests.openai_contract.server import Server


def test_models_are_a_list_of_objects(server: Server) -> None:
    with server.client() as client:
        answer = client.get("/models")
    assert answer.status_code == 200
    listed = answer.json()
    assert listed["object"] == "list"
    assert listed["data"]
    for model in listed["data"]:
        assert model["object"] == "model"
        assert isinstance(model["id"], str)
        assert isinstance(model["created"], int)
        assert isinstance(model["owned_by"], str)


def test_the_model_that_speaks_is_among_them(server: Server) -> None:
    with server.client() as client:
        assert server.model in {model["id"] for model in client.get("/models").json()["data"]}
