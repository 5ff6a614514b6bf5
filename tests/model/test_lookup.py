"""Which part of a model draws: by name, and what is advised where none is named."""

import re

import pytest
from support.models import autoencoder, floats, keras

from keras_image_saver import ImageSaver
from keras_image_saver.model.lookup import look_up


class Parts(keras.Model):
    """A model that only holds others, as GANs, VAEs and diffusion models do."""

    def __init__(self, **parts):
        super().__init__()
        for name, part in parts.items():
            setattr(self, name, part)


def part(**parts):
    """A model, which may hold others."""
    return Parts(**parts) if parts else autoencoder()


def names_of(*names):
    return {name: part() for name in names}


def refusal(folder, trained, **arguments):
    saver = ImageSaver(folder / "run", floats(2, 8, 8, 1), **arguments)
    with pytest.raises(ValueError, match="`model` must name") as info, saver.watch(trained):
        pytest.fail("the loop began")
    return str(info.value)


@pytest.mark.parametrize(
    ("names", "best"),
    [
        pytest.param(["encoder", "decoder"], "decoder", id="VAE"),
        pytest.param(["discriminator", "generator"], "generator", id="GAN"),
        pytest.param(["d_model", "g_model"], "g_model", id="short names"),
        pytest.param(["netD", "netG"], "netG", id="as PyTorch users call them"),
        pytest.param(["network", "ema_network"], "ema_network", id="diffusion"),
        pytest.param(["generator", "generator_ema", "critic"], "generator_ema", id="averaged copy"),
        pytest.param(["encoder", "unet", "text_encoder"], "unet", id="latent diffusion"),
    ],
)
def test_advice_names_all_parts_and_prefers_what_draws(tmp_path, names, best):
    message = refusal(tmp_path, Parts(**names_of(*names)))
    assert ", ".join(map(repr, sorted(names))) in message
    assert f"is yours to say, for example model={best!r};" in message


@pytest.mark.parametrize(
    "names",
    [["encoder", "discriminator"], ["stem", "tail"], ["gen_G", "gen_F", "disc_X", "disc_Y"]],
    ids=["none draws", "unknown", "CycleGAN, of two alike"],
)
def test_advice_gives_no_example_where_no_name_tells(tmp_path, names):
    message = refusal(tmp_path, Parts(**names_of(*names)))
    assert ", ".join(map(repr, sorted(names))) in message
    assert "for example" not in message


def test_advice_names_what_stands_in_parts_dicts_and_lists(tmp_path):
    shared = part()
    model = Parts(
        vae=part(**names_of("encoder", "decoder")),
        nets={"teacher": part(), "again": shared},
        stages=[part(), shared],
    )
    message = refusal(tmp_path, model, model="vae.docoder")
    listed = re.search(r"that are models: (.*?)\. Which", message)[1]
    assert listed.count(",") == 5, listed  # the shared one is named once
    for name in ("vae", "vae.encoder", "vae.decoder", "nets.teacher", "nets.again", "stages.0"):
        assert repr(name) in listed
    assert "model='vae.decoder'" in message


def test_name_leads_into_dicts_and_lists():
    model = Parts(nets={"generator": part()}, stages=[part(), part()])
    assert look_up("nets.generator", model).model is model.nets["generator"]
    assert look_up("stages.1", model).model is model.stages[1]
