"""Work that is out is never another one, through restarts and reorganisations."""

from dataclasses import replace
from pathlib import Path

import pytest
from pktd_chain import PktdChain

from packetcrypt.pool.share_work import SigningKeys, WorkMaker
from packetcrypt.pool.work_files import KEPT_HEIGHTS, PublishedWork, WorkFiles
from packetcrypt.protocol.block_template import BlockTemplate

MAKER = WorkMaker(ann_target=0x2001FFFF, divisor=4, keys=SigningKeys(""))


@pytest.fixture
def files(tmp_path: Path) -> WorkFiles:
    return WorkFiles(tmp_path)


@pytest.fixture
def template() -> BlockTemplate:
    return PktdChain().template()


def of(template: BlockTemplate, **header: object) -> PublishedWork:
    return MAKER.make(replace(template, header=replace(template.header, **header)))


def test_what_is_published_can_be_loaded(files: WorkFiles, template: BlockTemplate) -> None:
    published = files.publish(of(template))
    assert published == of(template)
    assert files.load(template.height) == published


def test_another_offer_for_the_same_block_changes_nothing(
    files: WorkFiles, tmp_path: Path, template: BlockTemplate
) -> None:
    first = files.publish(of(template))
    later = of(template, time=template.header.time + 30)
    assert files.publish(later) == first
    assert WorkFiles(tmp_path).publish(later) == first  # after a restart


def test_a_reorganisation_replaces_the_work(files: WorkFiles, template: BlockTemplate) -> None:
    files.publish(of(template))
    other = of(template, previous_hash=b"\x07" * 32)
    assert files.publish(other) == other
    assert files.load(template.height) == other


@pytest.mark.parametrize("torn", ["work", "bt"])
def test_half_a_publication_is_none(
    files: WorkFiles, tmp_path: Path, template: BlockTemplate, torn: str
) -> None:
    files.publish(of(template))
    path = tmp_path / f"{torn}_{template.height}.bin"
    path.write_bytes(path.read_bytes()[:50])
    assert files.load(template.height) is None
    path.unlink()
    assert files.load(template.height) is None


def test_a_crash_while_work_is_replaced_leaves_none(
    files: WorkFiles, template: BlockTemplate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rather than the old work with the new block's template."""
    files.publish(of(template))

    def only_the_template(path: Path, content: bytes) -> None:
        if path.name.startswith("work"):
            raise OSError(28, "no space left on device")
        path.write_bytes(content)

    monkeypatch.setattr("packetcrypt.pool.work_files.replace_file", only_the_template)
    with pytest.raises(OSError, match="no space"):
        files.publish(of(template, previous_hash=b"\x07" * 32))
    assert files.load(template.height) is None


def test_old_heights_go(files: WorkFiles, tmp_path: Path, template: BlockTemplate) -> None:
    heights = range(template.height, template.height + KEPT_HEIGHTS + 3)
    for height in heights:
        files.publish(MAKER.make(replace(template, height=height)))
    (tmp_path / "notes.txt").write_text("the operator's")
    kept = [height for height in heights if files.load(height) is not None]
    assert kept == list(heights)[-KEPT_HEIGHTS:]
    assert len(list(tmp_path.iterdir())) == 2 * KEPT_HEIGHTS + 1
